#include "adapters/lightgbm/lightgbm_trainer.h"
#include "adapters/onnxruntime/onnx_trainer.h"
#include "adapters/xgboost/xgboost_trainer.h"
#include "cli/commands.h"
#include "training/linear_trainer.h"
#include "training/onnx_trial.h"
#include "training/trainer.h"

namespace coeval::cli {

namespace {

Result<std::unique_ptr<training::Trainer>> open_trainer(const Installation& installation,
                                                        const std::string& name) {
  if (name == "xgboost") return adapters::open_xgboost(installation.xgboost_folder);
  if (name == "lightgbm") return adapters::open_lightgbm(installation.lightgbm_folder);
  if (name == training::kOnnxWorker)
    return adapters::make_onnx_trainer(installation.onnxruntime_folder);
  if (name == "linear") return training::make_linear_trainer();
  return fail(Code::unsupported, "no trainer '" + name + "'",
              "this version trains with xgboost, lightgbm and linear");
}

}  // namespace

int train_worker(Context& context) {
  const auto trainer_name = training::worker_trainer(context.in.subject);
  if (!trainer_name) return context.report(trainer_name.error());
  const auto trainer = open_trainer(context.installation, *trainer_name);
  if (!trainer) return context.report(trainer.error());
  return training::run_worker(context.in.subject, **trainer);
}

}  // namespace coeval::cli
