#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::models {

/// What an ONNX file says of itself, as far as it decides whether the model can be served: read by
/// ourselves, so that a refusal has a reason, and before ONNX Runtime sees a byte.

/// An input or an output of the graph.
struct OnnxValue {
  enum class Kind : std::uint8_t { tensor, sequence, map, optional, sparse, opaque, untyped };
  /// ONNX's numbers of element types.
  static constexpr std::int64_t kFloat32 = 1, kFloat64 = 11;

  std::string name;
  Kind kind = Kind::untyped;
  std::int64_t element_type = 0;  ///< of a tensor
  /// Of a tensor: a size, or -1 where any goes. Nothing where the file states no shape.
  std::optional<std::vector<std::int64_t>> shape;

  /// "'x', a tensor of int64, shape [?, 3]", for messages.
  std::string description() const;
};

struct OnnxOperator {
  std::string domain, name;  ///< domain "" is ONNX's own
  friend auto operator<=>(const OnnxOperator&, const OnnxOperator&) = default;
};

struct OnnxFile {
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t> opsets;  ///< version by domain
  std::vector<OnnxValue> inputs;               ///< those that a caller must give
  std::vector<OnnxValue> outputs;
  std::vector<OnnxOperator> operators;  ///< sorted, each once; those of subgraphs and functions too
  std::map<std::string, std::string> metadata;
};

/// Whether these bytes, which begin a file, are an ONNX model's rather than another library's.
bool is_onnx(std::string_view bytes);

/// Reads and judges a file. Complexity: linear in the file; memory as what is returned.
/// Errors: bad_model when damaged; unsupported, with the reason: tensors kept in other files,
/// operators outside of ONNX's own domains, operators that draw random numbers (an answer could not
/// be audited) or may never end (Loop), graphs nested over 16 deep, files over 1 GiB.
/// Not checked here: that operators exist, fit their opset and one another; ONNX Runtime does that.
Result<OnnxFile> read_onnx(std::string_view bytes);

/// How a model's rows go in and its scores come out.
struct OnnxSignature {
  std::string input;
  std::size_t width = 0;       ///< columns of a row
  std::size_t fixed_rows = 0;  ///< rows of every call, where the file states them; 0 = any
  std::string score, margin;   ///< names of outputs; margin may be empty
};

/// One float32 input of shape [rows, width]. The score: the output named score, scores,
/// probability, probabilities or output_probability, else the only one of floating point besides
/// `margin`; a number a row, or two, of which the second is the positive class's.
/// Errors: unsupported, naming the input or output, its type and shape, and what to do.
Result<OnnxSignature> onnx_signature(const OnnxFile& file);

}  // namespace coeval::models
