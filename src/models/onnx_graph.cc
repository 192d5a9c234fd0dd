#include "models/onnx_graph.h"

#include <bit>

namespace coeval::models {
namespace {

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

constexpr std::uint64_t kIrVersion = 8, kOpset = 17, kMlOpset = 5;
constexpr std::int64_t kFloat32 = 1, kUint8 = 2, kInt64 = 7, kBool = 9, kFloat64 = 11;
/// ONNX's numbers of kinds of attributes.
constexpr std::uint64_t kInteger = 2, kTensor = 4, kIntegers = 7;

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

ProtobufWriter raw_tensor(std::int64_t type, std::string_view bytes,
                          const std::vector<std::int64_t>& shape) {
  ProtobufWriter tensor;
  for (const std::int64_t size : shape) tensor.number(1, bits(size));
  return tensor.number(2, bits(type)).bytes(9, bytes);
}

template <class T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

ProtobufWriter value_of(const std::string& name, std::size_t columns) {
  ProtobufWriter shape;
  shape.message(1, ProtobufWriter().bytes(2, "rows"));
  shape.message(1, ProtobufWriter().number(1, columns));
  const auto tensor = ProtobufWriter().number(1, bits(kFloat32)).message(2, shape);
  return ProtobufWriter().bytes(1, name).message(2, ProtobufWriter().message(1, tensor));
}

ProtobufWriter opset(std::string_view domain, std::uint64_t version) {
  return ProtobufWriter().bytes(1, domain).number(2, version);
}

}  // namespace

template <class T>
ProtobufWriter OnnxGraph::tensor_of(std::span<const T> values,
                                    const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t type = std::is_same_v<T, float>          ? kFloat32
                                : std::is_same_v<T, double>       ? kFloat64
                                : std::is_same_v<T, std::int64_t> ? kInt64
                                                                  : kUint8;
  return raw_tensor(type, bytes_of(values), shape);
}
template ProtobufWriter OnnxGraph::tensor_of(std::span<const float>,
                                             const std::vector<std::int64_t>&);
template ProtobufWriter OnnxGraph::tensor_of(std::span<const double>,
                                             const std::vector<std::int64_t>&);
template ProtobufWriter OnnxGraph::tensor_of(std::span<const std::int64_t>,
                                             const std::vector<std::int64_t>&);
template ProtobufWriter OnnxGraph::tensor_of(std::span<const std::uint8_t>,
                                             const std::vector<std::int64_t>&);

ProtobufWriter OnnxGraph::integer(std::int64_t value) {
  return ProtobufWriter().number(3, bits(value)).number(20, kInteger);
}

ProtobufWriter OnnxGraph::integers(std::span<const std::int64_t> values) {
  ProtobufWriter packed;
  for (const std::int64_t value : values) packed.varint(bits(value));
  return ProtobufWriter().bytes(8, packed.str()).number(20, kIntegers);
}

ProtobufWriter OnnxGraph::tensor_attribute(const ProtobufWriter& tensor) {
  return ProtobufWriter().message(5, tensor).number(20, kTensor);
}

void OnnxGraph::input(const std::string& name, std::size_t columns) {
  inputs_.push_back(value_of(name, columns));
}

void OnnxGraph::output(const std::string& name) { outputs_.push_back(value_of(name, 1)); }

std::string OnnxGraph::add(std::string_view operator_name, const Names& inputs,
                           const Attributes& attributes, std::string_view domain) {
  std::string made = fresh_name();
  add_as(made, operator_name, inputs, attributes, domain);
  return made;
}

void OnnxGraph::add_as(const std::string& name, std::string_view operator_name, const Names& inputs,
                       const Attributes& attributes, std::string_view domain) {
  ProtobufWriter node;
  for (const std::string& input : inputs) node.bytes(1, input);
  node.bytes(2, name).bytes(4, operator_name);
  for (const auto& [key, value] : attributes) {
    node.bytes(5, ProtobufWriter().bytes(1, key).str() + value.str());
  }
  if (!domain.empty()) node.bytes(7, domain);
  nodes_.push_back(std::move(node));
}

std::string OnnxGraph::add_constant(ProtobufWriter tensor) {
  std::string name = fresh_name();
  constants_.push_back(std::move(tensor.bytes(8, name)));
  return name;
}

std::string OnnxGraph::mask(std::span<const std::uint8_t> values) {
  return add_constant(
      raw_tensor(kBool, bytes_of(values), {static_cast<std::int64_t>(values.size())}));
}

std::string OnnxGraph::model(const std::map<std::string, std::string>& metadata) const {
  ProtobufWriter graph;
  for (const auto& node : nodes_) graph.message(1, node);
  graph.bytes(2, "coeval");
  for (const auto& constant : constants_) graph.message(5, constant);
  for (const auto& input : inputs_) graph.message(11, input);
  for (const auto& output : outputs_) graph.message(12, output);
  ProtobufWriter model;
  model.number(1, kIrVersion).bytes(2, "coeval").message(7, graph);
  model.message(8, opset("", kOpset)).message(8, opset("ai.onnx.ml", kMlOpset));
  for (const auto& [key, value] : metadata) {
    model.message(14, ProtobufWriter().bytes(1, key).bytes(2, value));
  }
  return model.str();
}

}  // namespace coeval::models
