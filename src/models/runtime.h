#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"
#include "models/forest.h"
#include "models/linear_model.h"

namespace coeval::models {

/// A model that a library runs which this folder does not know; an adapter implements it.
/// Threading: const, safe from any thread. Determinism: same rows, same bits, one row alone or
/// inside any block; an adapter whose library cannot promise that refuses the model.
class Session {
 public:
  virtual ~Session() = default;
  virtual std::size_t width() const = 0;    ///< columns of a row
  virtual std::size_t outputs() const = 0;  ///< margins of a row
  virtual std::size_t scores() const = 0;   ///< scores of a row
  virtual std::size_t memory_bytes() const = 0;
  /// rows × width() floats in; rows × outputs() margins and rows × scores() scores out. A model
  /// that gives probabilities alone has the logit of each as its margin. Errors: bad_model with the
  /// library's own words.
  virtual Status predict(std::span<const float> rows, std::span<float> margins,
                         std::span<float> scores) const = 0;
};

/// How the models are opened that this folder does not read itself; cli fills it in. An empty
/// function means that this program cannot.
struct Openers {
  using Open = std::function<Result<std::shared_ptr<const Session>>(std::string_view bytes)>;
  Open onnx;
};

/// What a model file is, told by how its bytes begin.
enum class ModelFormat : unsigned char { xgboost_ubj, xgboost_json, lightgbm, linear, onnx };

/// Bytes that are nothing else count as XGBoost's UBJSON, whose reader then says what is wrong.
ModelFormat format_of(std::string_view bytes);
/// The name of such a file in a model's folder: model.ubj, model.xgboost.json, model.lightgbm.txt,
/// model.linear.json, model.onnx.
const char* file_name(ModelFormat format);

/// A model of any kind, ready to score rows: a forest, a linear model or another library's session.
/// Threading: const, safe from any thread; copies share the model. Determinism: one row alone or
/// inside any block, same bits.
class Runtime {
 public:
  Runtime() = default;  ///< an empty forest
  Runtime(Forest forest) : model_(std::move(forest)) {}
  Runtime(LinearModel model) : model_(std::move(model)) {}
  Runtime(std::shared_ptr<const Session> session) : model_(std::move(session)) {}

  /// Reads a model file by what it contains. Errors: those of Forest::read, LinearModel::read and
  /// of the opener; missing_component for an ONNX model where there is none.
  static Result<Runtime> read(std::string_view bytes, const Openers& openers = {});

  const char* kind() const;     ///< "forest", "linear", "onnx"
  std::size_t width() const;    ///< columns of a row
  std::size_t outputs() const;  ///< margins of a row
  std::size_t scores() const;   ///< scores of a row
  std::size_t memory_bytes() const;

  /// rows × width() floats in; rows × outputs() margins and rows × scores() scores out. No
  /// allocation besides the model's own. Errors: a session's; a forest and a linear model have
  /// none.
  Status predict(std::span<const float> rows, std::span<float> margins,
                 std::span<float> scores) const;

  const Forest* forest() const { return std::get_if<Forest>(&model_); }
  const LinearModel* linear() const { return std::get_if<LinearModel>(&model_); }

 private:
  std::variant<Forest, LinearModel, std::shared_ptr<const Session>> model_;
};

}  // namespace coeval::models
