#include "adapters/xgboost/xgboost_trainer.h"
#include "cli/commands.h"
#include "training/trainer.h"

namespace coeval::cli {

int train_worker(Context& context) {
  const auto trainer_name = training::worker_trainer(context.in.subject);
  if (!trainer_name) return context.report(trainer_name.error());
  if (*trainer_name != "xgboost")
    return context.report(Error{Code::unsupported,
                                "no trainer '" + *trainer_name + "'",
                                "this version trains with xgboost",
                                {},
                                {}});
  const auto trainer = adapters::open_xgboost(context.installation.xgboost_folder);
  if (!trainer) return context.report(trainer.error());
  return training::run_worker(context.in.subject, **trainer);
}

}  // namespace coeval::cli
