#include "models/onnx_file.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <set>
#include <utility>

#include "models/protobuf.h"

namespace coeval::models {
namespace {

using Wire = ProtobufField::Wire;

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr int kMaxDepth = 16;
constexpr std::int64_t kMaxColumns = 1 << 20, kMaxFixedRows = 4096;

/// Numbers of fields, as onnx.proto gives them; it is the format's definition.
namespace model_field {
constexpr std::uint32_t ir_version = 1, graph = 7, opset = 8, metadata = 14, training = 20,
                        function = 25;
}
namespace graph_field {
constexpr std::uint32_t node = 1, initializer = 5, input = 11, output = 12, sparse = 15;
}
namespace node_field {
constexpr std::uint32_t op_type = 4, attribute = 5, domain = 7;
}
namespace attribute_field {
constexpr std::uint32_t tensor = 5, graph = 6, tensors = 10, graphs = 11, sparse = 22,
                        sparse_tensors = 23;
}
namespace function_field {
constexpr std::uint32_t name = 1, node = 7, domain = 10, attribute = 11;
}
namespace tensor_field {
constexpr std::uint32_t name = 8, external = 13, location = 14;
}

std::unexpected<Error> bad_part(const std::string& what) {
  return fail(Code::bad_model, "ONNX model: " + what,
              "the file is damaged or of another format; take it from its source again");
}

std::unexpected<Error> not_supported(const std::string& what, std::string advice) {
  return fail(Code::unsupported, "ONNX model with " + what + " is not supported",
              std::move(advice));
}

/// Gives every field of a message to `visit`, which returns a Status.
template <class Visit>
Status for_each_field(std::string_view message, const Visit& visit) {
  ProtobufReader reader(message);
  while (true) {
    COEVAL_ASSIGN(const auto field, reader.next());
    if (!field) return {};
    COEVAL_TRY(visit(*field));
  }
}

bool holds_bytes(const ProtobufField& field, std::uint32_t number) {
  return field.number == number && field.wire == Wire::bytes;
}

bool holds_number(const ProtobufField& field, std::uint32_t number) {
  return field.number == number && field.wire == Wire::varint;
}

/// For a message: what a hostile name must not do to a terminal or a log.
std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string out;
  for (const char c : text.substr(0, kLongest)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kLongest ? "…" : "");
}

std::string quoted(std::string_view name) { return "'" + shown(name) + "'"; }

/// -1 for one that has a name, or nothing.
Result<std::int64_t> read_dimension(std::string_view message) {
  std::int64_t size = -1;
  COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (holds_number(field, 1)) size = static_cast<std::int64_t>(field.value);
    return {};
  }));
  return std::max<std::int64_t>(size, -1);
}

Result<std::vector<std::int64_t>> read_shape(std::string_view message) {
  constexpr std::size_t kMaxDimensions = 64;
  std::vector<std::int64_t> shape;
  COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (!holds_bytes(field, 1)) return {};
    if (shape.size() == kMaxDimensions) return bad_part("a shape has over 64 dimensions");
    COEVAL_ASSIGN(const std::int64_t size, read_dimension(field.bytes));
    shape.push_back(size);
    return {};
  }));
  return shape;
}

Status read_tensor_type(std::string_view message, OnnxValue& value) {
  return for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (holds_number(field, 1)) value.element_type = static_cast<std::int64_t>(field.value);
    if (holds_bytes(field, 2)) {
      COEVAL_ASSIGN(value.shape, read_shape(field.bytes));
    }
    return {};
  });
}

Status read_type(std::string_view message, OnnxValue& value) {
  using Kind = OnnxValue::Kind;
  constexpr std::pair<std::uint32_t, Kind> kKinds[] = {{1, Kind::tensor}, {4, Kind::sequence},
                                                       {5, Kind::map},    {7, Kind::opaque},
                                                       {8, Kind::sparse}, {9, Kind::optional}};
  return for_each_field(message, [&](const ProtobufField& field) -> Status {
    for (const auto& [number, kind] : kKinds) {
      if (holds_bytes(field, number)) value.kind = kind;
    }
    return holds_bytes(field, 1) ? read_tensor_type(field.bytes, value) : Status();
  });
}

Result<OnnxValue> read_value(std::string_view message) {
  OnnxValue value;
  COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (holds_bytes(field, 1)) value.name = field.bytes;
    return holds_bytes(field, 2) ? read_type(field.bytes, value) : Status();
  }));
  return value;
}

/// Whether a tensor keeps its numbers in this file; its name.
Result<std::string> read_tensor(std::string_view message) {
  std::string name;
  bool external = false;
  COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (holds_bytes(field, tensor_field::name)) name = field.bytes;
    external |= field.number == tensor_field::external ||
                (field.number == tensor_field::location && field.value != 0);
    return {};
  }));
  if (external) {
    return not_supported("tensor " + quoted(name) + " kept in another file",
                         "save it as one file (save_as_external_data=False)");
  }
  return name;
}

/// A sparse tensor is two tensors: values and indices.
Status read_sparse_tensor(std::string_view message) {
  return for_each_field(message, [](const ProtobufField& field) -> Status {
    if (!holds_bytes(field, 1) && !holds_bytes(field, 2)) return {};
    COEVAL_ASSIGN(const std::string name, read_tensor(field.bytes));
    return {};
  });
}

/// What all nodes of a file use, collected over graphs, subgraphs and functions.
class Operators {
 public:
  Status add_graph(std::string_view message, int depth) {
    if (depth > kMaxDepth) {
      return not_supported("graphs nested over 16 deep", "flatten its conditions");
    }
    return for_each_field(message, [&](const ProtobufField& field) -> Status {
      if (holds_bytes(field, graph_field::node)) return add_node(field.bytes, depth);
      if (holds_bytes(field, graph_field::sparse)) return read_sparse_tensor(field.bytes);
      if (!holds_bytes(field, graph_field::initializer)) return {};
      COEVAL_ASSIGN(const std::string name, read_tensor(field.bytes));
      return {};
    });
  }

  Status add_function(std::string_view message) {
    OnnxOperator defined;
    COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
      if (holds_bytes(field, function_field::name)) defined.name = field.bytes;
      if (holds_bytes(field, function_field::domain)) defined.domain = field.bytes;
      if (holds_bytes(field, function_field::node)) return add_node(field.bytes, 1);
      return holds_bytes(field, function_field::attribute) ? add_attribute(field.bytes, 1)
                                                           : Status();
    }));
    functions_.insert(std::move(defined));
    return {};
  }

  Status check() const {
    for (const OnnxOperator& each : used_) COEVAL_TRY(check_operator(each));
    return {};
  }

  std::vector<OnnxOperator> all() const { return {used_.begin(), used_.end()}; }

 private:
  Status add_node(std::string_view message, int depth) {
    OnnxOperator used;
    COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
      if (holds_bytes(field, node_field::op_type)) used.name = field.bytes;
      if (holds_bytes(field, node_field::domain)) used.domain = field.bytes;
      return holds_bytes(field, node_field::attribute) ? add_attribute(field.bytes, depth)
                                                       : Status();
    }));
    if (used.domain == "ai.onnx") used.domain.clear();
    used_.insert(std::move(used));
    return {};
  }

  Status add_attribute(std::string_view message, int depth) {
    namespace number = attribute_field;
    return for_each_field(message, [&](const ProtobufField& field) -> Status {
      if (holds_bytes(field, number::graph) || holds_bytes(field, number::graphs))
        return add_graph(field.bytes, depth + 1);
      if (holds_bytes(field, number::sparse) || holds_bytes(field, number::sparse_tensors))
        return read_sparse_tensor(field.bytes);
      if (!holds_bytes(field, number::tensor) && !holds_bytes(field, number::tensors)) return {};
      COEVAL_ASSIGN(const std::string name, read_tensor(field.bytes));
      return {};
    });
  }

  Status check_operator(const OnnxOperator& used) const {
    constexpr std::string_view kRandom[] = {"Bernoulli",     "Multinomial",
                                            "RandomNormal",  "RandomNormalLike",
                                            "RandomUniform", "RandomUniformLike"};
    if (functions_.contains(used)) return {};
    if (!used.domain.empty() && used.domain != "ai.onnx.ml") {
      return not_supported("operator " + quoted(used.name) + " of domain " + quoted(used.domain),
                           "export it with operators of ONNX's own domains only: ai.onnx and "
                           "ai.onnx.ml");
    }
    if (std::ranges::find(kRandom, used.name) != std::end(kRandom)) {
      return not_supported("operator " + quoted(used.name) + ", which draws random numbers,",
                           "export it for inference: the same row must get the same score");
    }
    if (used.name == "Loop") {
      return not_supported("operator 'Loop', which may never end,",
                           "export it with its loops unrolled, or with Scan");
    }
    return {};
  }

  std::set<OnnxOperator> used_, functions_;
};

Status read_opset(std::string_view message, std::map<std::string, std::int64_t>& opsets) {
  std::string domain;
  std::int64_t version = 0;
  COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (holds_bytes(field, 1)) domain = field.bytes;
    if (holds_number(field, 2)) version = static_cast<std::int64_t>(field.value);
    return {};
  }));
  opsets[domain] = version;
  return {};
}

Status read_metadata(std::string_view message, std::map<std::string, std::string>& metadata) {
  std::string key, value;
  COEVAL_TRY(for_each_field(message, [&](const ProtobufField& field) -> Status {
    if (holds_bytes(field, 1)) key = field.bytes;
    if (holds_bytes(field, 2)) value = field.bytes;
    return {};
  }));
  metadata[std::move(key)] = std::move(value);
  return {};
}

/// Inputs that have an initializer of that name have a value already.
Status read_values(std::string_view graph, OnnxFile& file) {
  std::set<std::string> initialized;
  COEVAL_TRY(for_each_field(graph, [&](const ProtobufField& field) -> Status {
    if (holds_bytes(field, graph_field::initializer)) {
      COEVAL_ASSIGN(std::string name, read_tensor(field.bytes));
      initialized.insert(std::move(name));
    }
    if (holds_bytes(field, graph_field::input) || holds_bytes(field, graph_field::output)) {
      COEVAL_ASSIGN(OnnxValue value, read_value(field.bytes));
      auto& values = field.number == graph_field::input ? file.inputs : file.outputs;
      values.push_back(std::move(value));
    }
    return {};
  }));
  std::erase_if(file.inputs,
                [&](const OnnxValue& input) { return initialized.contains(input.name); });
  return {};
}

std::string_view element_name(std::int64_t type) {
  constexpr std::string_view kNames[] = {"undefined",  "float32", "uint8",  "int8",   "uint16",
                                         "int16",      "int32",   "int64",  "string", "bool",
                                         "float16",    "float64", "uint32", "uint64", "complex64",
                                         "complex128", "bfloat16"};
  return type >= 0 && type < std::ssize(kNames) ? kNames[type] : "another type";
}

std::string_view kind_name(OnnxValue::Kind kind) {
  switch (kind) {
    case OnnxValue::Kind::tensor:
      return "a tensor";
    case OnnxValue::Kind::sequence:
      return "a sequence";
    case OnnxValue::Kind::map:
      return "a map";
    case OnnxValue::Kind::optional:
      return "an optional value";
    case OnnxValue::Kind::sparse:
      return "a sparse tensor";
    case OnnxValue::Kind::opaque:
      return "an opaque value";
    case OnnxValue::Kind::untyped:
      break;
  }
  return "of no stated type";
}

template <class Values>
std::string names_of(const Values& values) {
  std::string text;
  for (const OnnxValue& value : values) text += (text.empty() ? "" : "; ") + value.description();
  return text;
}

/// [rows, width] of the one input.
Status take_input(const OnnxFile& file, OnnxSignature& signature) {
  const std::string advice =
      "export it with one input, a tensor of float32 of shape [rows, columns], whose columns are "
      "the model's inputs in their order";
  if (file.inputs.size() != 1) {
    return not_supported(std::to_string(file.inputs.size()) + " inputs (" +
                             names_of(file.inputs | std::views::take(8)) + ")",
                         advice);
  }
  const OnnxValue& input = file.inputs.front();
  const bool fits = input.kind == OnnxValue::Kind::tensor &&
                    input.element_type == OnnxValue::kFloat32 && input.shape &&
                    input.shape->size() == 2 && (*input.shape)[1] > 0 &&
                    (*input.shape)[1] <= kMaxColumns && (*input.shape)[0] != 0 &&
                    (*input.shape)[0] <= kMaxFixedRows;
  if (!fits) return not_supported("input " + input.description(), advice);
  signature.input = input.name;
  signature.width = static_cast<std::size_t>((*input.shape)[1]);
  signature.fixed_rows = static_cast<std::size_t>(std::max<std::int64_t>((*input.shape)[0], 0));
  return {};
}

bool is_real(const OnnxValue& value) {
  return value.kind == OnnxValue::Kind::tensor &&
         (value.element_type == OnnxValue::kFloat32 || value.element_type == OnnxValue::kFloat64);
}

/// [rows], [rows, 1] or [rows, 2], or nothing that is known of it.
bool is_of_rows(const OnnxValue& value) {
  if (!value.shape) return true;
  const auto& shape = *value.shape;
  return shape.size() == 1 || (shape.size() == 2 && shape[1] <= 2 && shape[1] != 0);
}

constexpr std::string_view kScoreNames[] = {"score", "scores", "probability", "probabilities",
                                            "output_probability"};

const OnnxValue* named_score(const OnnxFile& file) {
  for (const std::string_view name : kScoreNames) {
    const auto found = std::ranges::find(file.outputs, name, &OnnxValue::name);
    if (found != file.outputs.end()) return &*found;
  }
  return nullptr;
}

/// The named score, or the only output that can be one.
Result<const OnnxValue*> find_score(const OnnxFile& file) {
  const std::string advice =
      "give it one output 'score', a tensor of float32 of shape [rows], [rows, 1] or [rows, 2] "
      "(probabilities of both classes)";
  if (const OnnxValue* named = named_score(file)) return named;
  std::vector<const OnnxValue*> fit;
  for (const OnnxValue& output : file.outputs) {
    if (is_real(output) && output.name != "margin") fit.push_back(&output);
  }
  if (fit.size() == 1) return fit.front();
  // A classifier's map is its score, so say what to do about that one.
  for (const OnnxValue& output : file.outputs) {
    if (fit.empty() && output.kind == OnnxValue::Kind::sequence) return &output;
  }
  return not_supported((fit.empty() ? "no output of floating point ("
                                    : "several outputs that could be the score (") +
                           names_of(file.outputs | std::views::take(8)) + ")",
                       advice);
}

Status take_outputs(const OnnxFile& file, OnnxSignature& signature) {
  COEVAL_ASSIGN(const OnnxValue* score, find_score(file));
  if (score->kind == OnnxValue::Kind::sequence) {
    return not_supported(
        "output " + score->description() + " of maps from class to probability,",
        "convert it with zipmap off (skl2onnx: options={'zipmap': False}), so that "
        "it returns a tensor of probabilities");
  }
  if (!is_real(*score) || !is_of_rows(*score)) {
    return not_supported("output " + score->description(),
                         "a score is a tensor of float32 of shape [rows], [rows, 1] or, for the "
                         "probabilities of both classes, [rows, 2]");
  }
  signature.score = score->name;
  const auto margin = std::ranges::find(file.outputs, "margin", &OnnxValue::name);
  if (margin == file.outputs.end() || &*margin == score) return {};
  if (!is_real(*margin) || !is_of_rows(*margin)) {
    return not_supported("output " + margin->description(),
                         "a margin is a tensor of float32 of shape [rows] or [rows, 1]");
  }
  signature.margin = margin->name;
  return {};
}

}  // namespace

std::string OnnxValue::description() const {
  std::string text = quoted(name) + ", " + std::string(kind_name(kind));
  if (kind != Kind::tensor) return text;
  text += " of " + std::string(element_name(element_type));
  if (!shape) return text + " without a shape";
  std::string sizes;
  for (const std::int64_t size : *shape) {
    sizes += (sizes.empty() ? "" : ", ") + (size < 0 ? std::string("?") : std::to_string(size));
  }
  return text + ", shape [" + sizes + "]";
}

bool is_onnx(std::string_view bytes) {
  // Every writer begins with the version of the format, field 1: a small number.
  return bytes.size() > 2 && bytes[0] == '\x08' && bytes[1] > 0 && bytes[1] < 64;
}

Result<OnnxFile> read_onnx(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) return not_supported("over 1 GiB", "use a smaller model");
  if (!is_onnx(bytes)) return bad_part("the file does not begin as one");
  OnnxFile file;
  Operators operators;
  bool has_graph = false;
  COEVAL_TRY(for_each_field(bytes, [&](const ProtobufField& field) -> Status {
    if (holds_number(field, model_field::ir_version))
      file.ir_version = static_cast<std::int64_t>(field.value);
    if (holds_bytes(field, model_field::opset)) return read_opset(field.bytes, file.opsets);
    if (holds_bytes(field, model_field::metadata)) return read_metadata(field.bytes, file.metadata);
    if (holds_bytes(field, model_field::function)) return operators.add_function(field.bytes);
    if (field.number == model_field::training)
      return not_supported("training information", "export it for inference");
    if (!holds_bytes(field, model_field::graph)) return {};
    if (has_graph) return bad_part("it has two graphs");
    has_graph = true;
    const Status values = read_values(field.bytes, file);
    return values ? operators.add_graph(field.bytes, 1) : values;
  }));
  if (!has_graph) return bad_part("it has no graph");
  if (file.opsets.empty()) return bad_part("it states no opset");
  COEVAL_TRY(operators.check());
  file.operators = operators.all();
  return file;
}

Result<OnnxSignature> onnx_signature(const OnnxFile& file) {
  OnnxSignature signature;
  COEVAL_TRY(take_input(file, signature));
  COEVAL_TRY(take_outputs(file, signature));
  return signature;
}

}  // namespace coeval::models
