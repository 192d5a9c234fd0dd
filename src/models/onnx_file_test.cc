#include "models/onnx_file.h"

#include <doctest/doctest.h>

#include <string>

#include "models/onnx_graph.h"
#include "models/test_files.h"

namespace coeval::models {
namespace {

std::string file(const std::string& name) { return test_data("onnx_" + name + ".onnx"); }

Result<OnnxSignature> signature(std::string_view bytes) {
  COEVAL_ASSIGN(const OnnxFile read, read_onnx(bytes));
  return onnx_signature(read);
}

/// The refusal of a file: its code, and a word that it must say.
void check_refused(std::string_view bytes, Code code, const std::string& word) {
  const auto found = signature(bytes);
  REQUIRE(!found.has_value());
  CHECK(found.error().code == code);
  CHECK_MESSAGE(found.error().message.contains(word), found.error().message);
  CHECK(!found.error().advice.empty());
}

std::string model_of(const ProtobufWriter& graph) {
  return ProtobufWriter()
      .number(1, 8)
      .message(7, graph)
      .message(8, ProtobufWriter().bytes(1, "").number(2, 17))
      .str();
}

/// Graphs inside the attribute of a node inside a graph …
ProtobufWriter nested(int depth) {
  ProtobufWriter graph;
  if (depth == 0) return graph;
  const auto attribute = ProtobufWriter().bytes(1, "then_branch").message(6, nested(depth - 1));
  return graph.message(1, ProtobufWriter().bytes(4, "If").message(5, attribute));
}

}  // namespace

TEST_CASE("a classifier of scikit-learn says what it takes and gives") {
  const auto read = read_onnx(file("logistic"));
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : one_line(read.error())));
  CHECK(read->opsets.at("") > 0);
  CHECK(read->opsets.at("ai.onnx.ml") == 1);
  CHECK(read->outputs.size() == 2);
  CHECK(read->outputs[0].description() == "'label', a tensor of int64, shape [?]");
  const auto found = onnx_signature(*read);
  REQUIRE_MESSAGE(found.has_value(), (found ? "" : one_line(found.error())));
  CHECK(found->input == "X");
  CHECK(found->width == 3);
  CHECK(found->fixed_rows == 0);
  CHECK(found->score == "probabilities");
  CHECK(found->margin.empty());
}

TEST_CASE("a margin and a stated number of rows are taken, and functions of the file's own") {
  const auto margin = signature(file("margin"));
  REQUIRE(margin.has_value());
  CHECK(margin->score == "score");
  CHECK(margin->margin == "margin");
  CHECK(signature(file("fixed_rows"))->fixed_rows == 4);
  CHECK(signature(file("function"))->score == "score");
}

TEST_CASE("what cannot be served is refused with the reason") {
  check_refused(file("zipmap"), Code::unsupported, "'output_probability', a sequence of maps");
  check_refused(file("two_inputs"), Code::unsupported,
                "2 inputs ('age', a tensor of float32, shape [?, 1]; 'income', a tensor of int64");
  check_refused(file("three_scores"), Code::unsupported,
                "'score', a tensor of float32, shape [?, 3]");
  check_refused(file("external_data"), Code::unsupported, "tensor 'w' kept in another file");
  check_refused(file("unknown_domain"), Code::unsupported,
                "operator 'Fancy' of domain 'acme.models'");
  check_refused(file("random"), Code::unsupported, "'RandomNormalLike'");
  check_refused(file("random_inside"), Code::unsupported, "'RandomUniform'");
  check_refused(file("loop"), Code::unsupported, "'Loop'");
}

TEST_CASE("a damaged file is refused wherever it breaks off") {
  const std::string whole = file("margin");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto found = signature(whole.substr(0, size));
    // The last parts of the file are the opsets: without one, or without a graph, it is none.
    CHECK_MESSAGE(!found.has_value(), size);
  }
}

TEST_CASE("a part that claims a gigabyte costs nothing") {
  const std::string claims = std::string("\x08\x08\x3a") + "\xff\xff\xff\xff\x03" + "abc";
  check_refused(claims, Code::bad_model, "a part of 1073741823 bytes begins where 3 are left");
  check_refused(std::string("\x08\x08\x3a") + std::string(10, '\xff') + "\x01", Code::bad_model,
                "a number of over 64 bits");
}

TEST_CASE("graphs may be nested, but not without end") {
  CHECK(read_onnx(model_of(nested(15))).has_value());
  check_refused(model_of(nested(17)), Code::unsupported, "nested over 16 deep");
  check_refused(model_of(nested(2000)), Code::unsupported, "nested over 16 deep");
}

TEST_CASE("names of a hostile file do not reach the terminal as they are") {
  const auto node = ProtobufWriter().bytes(4, "\x1b[2J\n").bytes(7, "evil");
  check_refused(model_of(ProtobufWriter().message(1, node)), Code::unsupported, "'?[2J?'");
}

TEST_CASE("what is no ONNX file is told from one") {
  CHECK(is_onnx(file("logistic")));
  CHECK(!is_onnx(""));
  CHECK(!is_onnx(test_data("v3_4.ubj")));
  CHECK(!is_onnx(test_data("v3_4.json")));
  CHECK(!is_onnx(test_data("lightgbm_v4.txt")));
  check_refused("no model", Code::bad_model, "does not begin as one");
}

}  // namespace coeval::models
