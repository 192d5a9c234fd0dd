#include "adapters/onnxruntime/onnx_session.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "adapters/onnxruntime/c_api.h"
#include "base/check.h"
#include "models/onnx_file.h"

namespace coeval::adapters {
namespace onnxruntime {
namespace {

using models::OnnxSignature;

constexpr int kSequential = 0, kBasicOptimisations = 1, kLogFatal = 4;
constexpr int kArenaAllocator = 1, kDefaultMemory = 0;

/// Settings under which the same model and row give the same bits.
Status settle(const Library& library, Handle options) {
  COEVAL_TRY(library.call(Place::SetIntraOpNumThreads, options, 1));
  COEVAL_TRY(library.call(Place::SetInterOpNumThreads, options, 1));
  COEVAL_TRY(library.call(Place::SetSessionExecutionMode, options, kSequential));
  COEVAL_TRY(library.call(Place::DisableMemPattern, options));
  COEVAL_TRY(library.call(Place::SetSessionLogSeverityLevel, options, kLogFatal));
  // Higher levels fuse operators and lay tensors out as it suits the processor.
  return library.call(Place::SetSessionGraphOptimizationLevel, options, kBasicOptimisations);
}

float logit(float score) {
  constexpr float kLeast = std::numeric_limits<float>::min(), kMost = 1.0f - 0x1p-24f;
  const double bounded = static_cast<double>(std::clamp(score, kLeast, kMost));
  return static_cast<float>(std::log(bounded / (1 - bounded)));
}

class OnnxSession final : public models::Session {
 public:
  OnnxSession(std::shared_ptr<const Library> library, OnnxSignature signature, std::size_t bytes)
      : library_(std::move(library)),
        signature_(std::move(signature)),
        bytes_(bytes),
        memory_(*library_, Place::ReleaseMemoryInfo),
        session_(*library_, Place::ReleaseSession) {
    outputs_.push_back(signature_.score.c_str());
    if (!signature_.margin.empty()) outputs_.push_back(signature_.margin.c_str());
  }

  Status open(std::string_view bytes) {
    COEVAL_TRY(
        library_->call(Place::CreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, memory_.out()));
    Owned options(*library_, Place::ReleaseSessionOptions);
    COEVAL_TRY(library_->call(Place::CreateSessionOptions, options.out()));
    COEVAL_TRY(settle(*library_, options.get()));
    COEVAL_TRY(library_->call(Place::CreateSessionFromArray, library_->environment(), bytes.data(),
                              bytes.size(), options.get(), session_.out()));
    return try_one_row();
  }

  std::size_t width() const override { return signature_.width; }
  std::size_t outputs() const override { return 1; }
  std::size_t scores() const override { return 1; }
  std::size_t memory_bytes() const override { return bytes_; }

  Status predict(std::span<const float> rows, std::span<float> margins,
                 std::span<float> scores) const override {
    COEVAL_CHECK(margins.size() == scores.size() && rows.size() == scores.size() * width());
    for (std::size_t row = 0; row < scores.size(); ++row) {
      COEVAL_ASSIGN(const Answer answer, run(rows.subspan(row * width(), width())));
      if (!std::isfinite(answer.score) || !std::isfinite(answer.margin)) {
        return fail(Code::bad_model,
                    "the ONNX model has no finite score for a row: it answers " +
                        std::to_string(answer.score),
                    "missing cells come in as NaN: replace them inside the model, for instance "
                    "with an imputer before the first layer");
      }
      margins[row] = answer.margin;
      scores[row] = answer.score;
    }
    return {};
  }

 private:
  struct Answer {
    float margin = 0, score = 0;
  };

  /// Shapes that the file leaves open show when a row goes through.
  Status try_one_row() const {
    const std::vector<float> row(width(), 0.0f);
    COEVAL_ASSIGN(const Answer ignored, run(row));
    static_cast<void>(ignored);
    return {};
  }

  Result<Answer> run(std::span<const float> row) const {
    const std::size_t rows = std::max<std::size_t>(signature_.fixed_rows, 1);
    std::vector<float> repeated;
    if (rows > 1) {
      for (std::size_t i = 0; i < rows; ++i)
        repeated.insert(repeated.end(), row.begin(), row.end());
      row = repeated;
    }
    const std::array<std::int64_t, 2> shape = {static_cast<std::int64_t>(rows),
                                               static_cast<std::int64_t>(width())};
    Owned input(*library_, Place::ReleaseValue);
    COEVAL_TRY(library_->call(Place::CreateTensorWithDataAsOrtValue, memory_.get(),
                              const_cast<float*>(row.data()), row.size_bytes(), shape.data(),
                              shape.size(), kTensorOfFloat32, input.out()));
    Owned score(*library_, Place::ReleaseValue), margin(*library_, Place::ReleaseValue);
    std::array<Handle, 2> made = {nullptr, nullptr};
    const char* const input_name = signature_.input.c_str();
    const Handle given = input.get();
    const Handle no_options = nullptr;
    const Status ran =
        library_->call(Place::Run, session_.get(), no_options, &input_name, &given, std::size_t{1},
                       outputs_.data(), outputs_.size(), made.data());
    *score.out() = made[0];
    *margin.out() = made[1];
    COEVAL_TRY(ran);
    Answer answer;
    COEVAL_ASSIGN(answer.score, first_of(score.get(), signature_.score, rows, 2));
    answer.margin = logit(answer.score);
    if (margin.get() != nullptr) {
      COEVAL_ASSIGN(answer.margin, first_of(margin.get(), signature_.margin, rows, 1));
    }
    return answer;
  }

  /// The first row's number of an output of [rows], [rows, 1] or, where two are taken, [rows, 2].
  Result<float> first_of(Handle value, const std::string& name, std::size_t rows,
                         std::size_t most) const {
    Owned shape(*library_, Place::ReleaseTensorTypeAndShapeInfo);
    COEVAL_TRY(library_->call(Place::GetTensorTypeAndShape, value, shape.out()));
    int type = 0;
    std::size_t count = 0;
    COEVAL_TRY(library_->call(Place::GetTensorElementType, shape.get(), &type));
    COEVAL_TRY(library_->call(Place::GetTensorShapeElementCount, shape.get(), &count));
    const bool fits = count == rows || (most == 2 && count == 2 * rows);
    if (!fits || (type != kTensorOfFloat32 && type != kTensorOfFloat64)) {
      return fail(Code::unsupported,
                  "ONNX model whose output '" + name + "' has " + std::to_string(count) +
                      " numbers for " + std::to_string(rows) + " rows is not supported",
                  "a score is a tensor of float32 of shape [rows], [rows, 1] or, for the "
                  "probabilities of both classes, [rows, 2]");
    }
    void* data = nullptr;
    COEVAL_TRY(library_->call(Place::GetTensorMutableData, value, &data));
    const std::size_t place = count / rows - 1;  // the positive class is the second
    return type == kTensorOfFloat32 ? static_cast<const float*>(data)[place]
                                    : static_cast<float>(static_cast<const double*>(data)[place]);
  }

  std::shared_ptr<const Library> library_;
  OnnxSignature signature_;
  std::size_t bytes_;
  std::vector<const char*> outputs_;
  Owned memory_, session_;
};

Result<std::shared_ptr<const models::Session>> open(std::shared_ptr<const Library> library,
                                                    OnnxSignature signature,
                                                    std::string_view bytes) {
  auto session =
      std::make_shared<OnnxSession>(std::move(library), std::move(signature), bytes.size());
  COEVAL_TRY(session->open(bytes));
  return session;
}

Result<OnnxSignature> signature_of(std::string_view bytes) {
  COEVAL_ASSIGN(const models::OnnxFile file, models::read_onnx(bytes));
  return models::onnx_signature(file);
}

/// The library of a process, from the first model that needs it on.
class SharedLibrary {
 public:
  explicit SharedLibrary(std::string folder) : folder_(std::move(folder)) {}

  Result<std::shared_ptr<const Library>> get() {
    const std::lock_guard lock(mutex_);
    if (!library_) {
      COEVAL_ASSIGN(library_, Library::load(folder_));
    }
    return library_;
  }

 private:
  std::string folder_;
  std::mutex mutex_;
  std::shared_ptr<const Library> library_;
};

}  // namespace
}  // namespace onnxruntime

Result<std::shared_ptr<const models::Session>> open_onnx(const std::string& library_folder,
                                                         std::string_view bytes) {
  return onnx_opener(library_folder)(bytes);
}

Result<std::string> onnxruntime_version(const std::string& library_folder) {
  COEVAL_ASSIGN(const auto library, onnxruntime::Library::load(library_folder));
  return library->version();
}

models::Openers::Open onnx_opener(std::string library_folder) {
  auto shared = std::make_shared<onnxruntime::SharedLibrary>(std::move(library_folder));
  return [shared](std::string_view bytes) -> Result<std::shared_ptr<const models::Session>> {
    COEVAL_ASSIGN(auto signature, onnxruntime::signature_of(bytes));
    COEVAL_ASSIGN(auto library, shared->get());
    return onnxruntime::open(std::move(library), std::move(signature), bytes);
  };
}

}  // namespace coeval::adapters
