#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/protobuf.h"

namespace coeval::models {

/// Builds an ONNX model of one input, operator by operator: what is written is a file of IR version
/// 8, opset 17 of ai.onnx and 5 of ai.onnx.ml. Same calls, same bytes.
class OnnxGraph {
 public:
  using Names = std::vector<std::string>;
  using Attributes = std::vector<std::pair<std::string, ProtobufWriter>>;

  /// An attribute of one integer, of several, or of a list of numbers as a tensor.
  static ProtobufWriter integer(std::int64_t value);
  static ProtobufWriter integers(std::span<const std::int64_t> values);
  template <class T>
  static ProtobufWriter numbers(std::span<const T> values) {
    return tensor_attribute(tensor_of<T>(values, {static_cast<std::int64_t>(values.size())}));
  }

  /// float32 [rows, columns].
  void input(const std::string& name, std::size_t columns);
  /// float32 [rows, 1]; the node that makes it comes with add_as().
  void output(const std::string& name);

  /// Adds a node and returns the name of what it makes.
  std::string add(std::string_view operator_name, const Names& inputs,
                  const Attributes& attributes = {}, std::string_view domain = {});
  /// Adds a node that makes `name`.
  void add_as(const std::string& name, std::string_view operator_name, const Names& inputs,
              const Attributes& attributes = {}, std::string_view domain = {});
  /// A constant of float32, float64, int64 or bool (as uint8); returns its name.
  template <class T>
  std::string constant(std::span<const T> values, std::vector<std::int64_t> shape) {
    return add_constant(tensor_of<T>(values, shape));
  }
  template <class T>
  std::string constant(T value) {
    return constant<T>(std::span<const T>(&value, 1), {});
  }
  std::string mask(std::span<const std::uint8_t> values);  ///< bool [values]
  /// To float32 (1), int64 (7) or float64 (11).
  std::string cast(const std::string& input, std::int64_t type) {
    return add("Cast", {input}, {{"to", integer(type)}});
  }

  /// The file, with named texts about it.
  std::string model(const std::map<std::string, std::string>& metadata) const;

 private:
  template <class T>
  static ProtobufWriter tensor_of(std::span<const T> values,
                                  const std::vector<std::int64_t>& shape);
  static ProtobufWriter tensor_attribute(const ProtobufWriter& tensor);
  std::string add_constant(ProtobufWriter tensor);
  std::string fresh_name() { return "v" + std::to_string(names_++); }

  std::vector<ProtobufWriter> nodes_, constants_, inputs_, outputs_;
  int names_ = 0;
};

}  // namespace coeval::models
