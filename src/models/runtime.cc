#include "models/runtime.h"

#include <utility>

#include "models/lightgbm_model.h"
#include "models/xgboost_model.h"

namespace coeval::models {
namespace {

// An ONNX file is a protocol buffer whose first field, ir_version, is a small number: 0x08, then a
// byte from 1 to 127. No other format begins so: UBJSON and JSON begin with '{', LightGBM with
// text.
bool is_onnx(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x08' && bytes[1] > 0;
}

const Session& session_of(const std::shared_ptr<const Session>& session) { return *session; }
template <class Model>
const Model& session_of(const Model& model) {
  return model;
}

}  // namespace

ModelFormat format_of(std::string_view bytes) {
  if (is_linear_model(bytes)) return ModelFormat::linear;
  if (is_onnx(bytes)) return ModelFormat::onnx;
  if (is_lightgbm(bytes)) return ModelFormat::lightgbm;
  return is_xgboost_json(bytes) ? ModelFormat::xgboost_json : ModelFormat::xgboost_ubj;
}

const char* file_name(ModelFormat format) {
  switch (format) {
    case ModelFormat::xgboost_ubj:
      break;
    case ModelFormat::xgboost_json:
      return "model.xgboost.json";
    case ModelFormat::lightgbm:
      return "model.lightgbm.txt";
    case ModelFormat::linear:
      return "model.linear.json";
    case ModelFormat::onnx:
      return "model.onnx";
  }
  return "model.ubj";
}

Result<Runtime> Runtime::read(std::string_view bytes, const Openers& openers) {
  switch (format_of(bytes)) {
    case ModelFormat::linear: {
      COEVAL_ASSIGN(LinearModel model, LinearModel::read(bytes));
      return Runtime(std::move(model));
    }
    case ModelFormat::onnx: {
      if (!openers.onnx)
        return fail(Code::missing_component, "an ONNX model needs ONNX Runtime to run it",
                    "this program has none; serve a forest or a linear model");
      COEVAL_ASSIGN(auto session, openers.onnx(bytes));
      return Runtime(std::move(session));
    }
    case ModelFormat::xgboost_ubj:
    case ModelFormat::xgboost_json:
    case ModelFormat::lightgbm:
      break;
  }
  COEVAL_ASSIGN(Forest forest, Forest::read(bytes));
  return Runtime(std::move(forest));
}

const char* Runtime::kind() const {
  if (forest() != nullptr) return "forest";
  return linear() != nullptr ? "linear" : "onnx";
}

std::size_t Runtime::width() const {
  return std::visit([](const auto& model) { return session_of(model).width(); }, model_);
}
std::size_t Runtime::outputs() const {
  return std::visit([](const auto& model) { return session_of(model).outputs(); }, model_);
}
std::size_t Runtime::scores() const {
  return std::visit([](const auto& model) { return session_of(model).scores(); }, model_);
}
std::size_t Runtime::memory_bytes() const {
  return std::visit([](const auto& model) { return session_of(model).memory_bytes(); }, model_);
}

Status Runtime::predict(std::span<const float> rows, std::span<float> margins,
                        std::span<float> scores) const {
  if (const Forest* forest = this->forest()) {
    forest->predict(rows, margins, scores);
    return {};
  }
  if (const LinearModel* linear = this->linear()) {
    linear->predict(rows, margins, scores);
    return {};
  }
  return std::get<std::shared_ptr<const Session>>(model_)->predict(rows, margins, scores);
}

}  // namespace coeval::models
