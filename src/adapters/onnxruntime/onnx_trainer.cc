#include "adapters/onnxruntime/onnx_trainer.h"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "adapters/onnxruntime/onnx_session.h"

namespace coeval::adapters {

namespace {

class OnnxTrainer final : public training::Trainer {
 public:
  explicit OnnxTrainer(std::string library_folder)
      : open_(onnx_opener(std::move(library_folder))) {}

  Result<training::TrainedModel> train(const training::TrainingTable&,
                                       const training::TrainingPlan&, void (*)(int, int)) override {
    return fail(Code::unsupported, "ONNX models are trained elsewhere",
                "coeval register MODEL --file takes one");
  }

  Result<std::vector<float>> predict_margins(const std::string& model_bytes, const float* rows,
                                             std::int64_t count, std::size_t width) override {
    COEVAL_TRY(score(model_bytes, rows, count, width));
    return margins_;
  }

  Result<std::vector<float>> predict(const std::string& model_bytes, const float* rows,
                                     std::int64_t count, std::size_t width) override {
    COEVAL_TRY(score(model_bytes, rows, count, width));
    return scores_;
  }

 private:
  // A worker asks for margins, then for scores, of the same rows: they are found at once.
  Status score(const std::string& model_bytes, const float* rows, std::int64_t count,
               std::size_t width) {
    if (scored_ && rows_ == rows && std::ssize(scores_) == count) return {};
    COEVAL_ASSIGN(const auto session, open_(model_bytes));
    if (session->width() != width || session->outputs() != 1 || session->scores() != 1)
      return fail(Code::bad_model,
                  "it has " + std::to_string(session->width()) + " inputs and " +
                      std::to_string(session->outputs()) + " outputs instead of " +
                      std::to_string(width) + " and 1",
                  "the model's inputs are what its row has");
    const auto size = static_cast<std::size_t>(count);
    margins_.assign(size, 0);
    scores_.assign(size, 0);
    COEVAL_TRY(session->predict({rows, size * width}, margins_, scores_));
    rows_ = rows;
    scored_ = true;
    return {};
  }

  models::Openers::Open open_;
  bool scored_ = false;
  const float* rows_ = nullptr;
  std::vector<float> margins_, scores_;
};

}  // namespace

std::unique_ptr<training::Trainer> make_onnx_trainer(std::string library_folder) {
  return std::make_unique<OnnxTrainer>(std::move(library_folder));
}

}  // namespace coeval::adapters
