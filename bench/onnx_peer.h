#pragma once

// For forest_bench only: ONNX Runtime as a peer, where its library lies in
// third_party/onnxruntime, as ./dev setup unpacks it, on the same trees written as
// an ONNX model. Prototypes and places in the table of functions are ours.

#include <dlfcn.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/forest_source.h"

namespace coeval::bench {

/// Protocol buffers, as far as an ONNX model needs them.
class Protobuf {
 public:
  Protobuf& number(int field, std::uint64_t value) { return varint(tag(field, 0)).varint(value); }
  Protobuf& bytes(int field, std::string_view value) {
    varint(tag(field, 2)).varint(value.size());
    out_ += value;
    return *this;
  }
  Protobuf& message(int field, const Protobuf& value) { return bytes(field, value.out_); }
  Protobuf& varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) out_ += static_cast<char>(value | 128);
    out_ += static_cast<char>(value);
    return *this;
  }
  Protobuf& real(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int i = 0; i < 32; i += 8) out_ += static_cast<char>(bits >> i);
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  static std::uint64_t tag(int field, int type) {
    return static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type);
  }
  std::string out_;
};

/// The trees of a forest of numbers with one output, without its base margin, as the operator
/// TreeEnsembleRegressor of ai.onnx.ml 3.
class OnnxForest {
 public:
  static std::string write(const models::SourceForest& forest) {
    OnnxForest onnx;
    for (std::size_t tree = 0; tree < forest.trees.size(); ++tree) {
      for (std::size_t node = 0; node < forest.trees[tree].size(); ++node) {
        onnx.add(forest.trees[tree], tree, node);
      }
    }
    return onnx.model(forest.width);
  }

 private:
  void add(const models::SourceTree& tree, std::size_t tree_id, std::size_t node) {
    const bool leaf = tree.left[node] == -1;
    tree_ids_.varint(tree_id);
    node_ids_.varint(node);
    columns_.varint(static_cast<std::uint64_t>(tree.columns[node]));
    values_.real(leaf ? 0.0f : tree.conditions[node]);
    modes_.push_back(leaf ? "LEAF" : "BRANCH_LT");
    left_.varint(leaf ? 0 : static_cast<std::uint64_t>(tree.left[node]));
    right_.varint(leaf ? 0 : static_cast<std::uint64_t>(tree.right[node]));
    missing_left_.varint(leaf ? 0 : tree.default_left[node]);
    if (!leaf) return;
    target_trees_.varint(tree_id);
    target_nodes_.varint(node);
    target_ids_.varint(0);
    target_weights_.real(tree.conditions[node]);
  }

  static Protobuf named(std::string_view name, int type) {
    return Protobuf().bytes(1, name).number(20, static_cast<std::uint64_t>(type));
  }
  static Protobuf integers(std::string_view name, const Protobuf& packed) {
    return named(name, 7).bytes(8, packed.str());
  }
  static Protobuf reals(std::string_view name, const Protobuf& packed) {
    return named(name, 6).bytes(7, packed.str());
  }

  static Protobuf tensor(std::string_view name, std::uint64_t width) {
    const auto rows = Protobuf().bytes(2, "rows"), columns = Protobuf().number(1, width);
    const auto shape = Protobuf().message(1, rows).message(1, columns);
    const auto type = Protobuf().message(1, Protobuf().number(1, 1).message(2, shape));
    return Protobuf().bytes(1, name).message(2, type);
  }

  std::string model(std::size_t width) const {
    Protobuf node;
    node.bytes(1, "x").bytes(2, "y").bytes(4, "TreeEnsembleRegressor").bytes(7, "ai.onnx.ml");
    node.message(5, integers("nodes_treeids", tree_ids_));
    node.message(5, integers("nodes_nodeids", node_ids_));
    node.message(5, integers("nodes_featureids", columns_));
    node.message(5, reals("nodes_values", values_));
    Protobuf modes = named("nodes_modes", 8);
    for (const std::string& mode : modes_) modes.bytes(9, mode);
    node.message(5, modes);
    node.message(5, integers("nodes_truenodeids", left_));
    node.message(5, integers("nodes_falsenodeids", right_));
    node.message(5, integers("nodes_missing_value_tracks_true", missing_left_));
    node.message(5, integers("target_treeids", target_trees_));
    node.message(5, integers("target_nodeids", target_nodes_));
    node.message(5, integers("target_ids", target_ids_));
    node.message(5, reals("target_weights", target_weights_));
    node.message(5, named("n_targets", 2).number(3, 1));
    Protobuf graph;
    graph.message(1, node).bytes(2, "forest").message(11, tensor("x", width));
    graph.message(12, tensor("y", 1));
    Protobuf model;
    model.number(1, 8).message(7, graph);
    model.message(8, Protobuf().bytes(1, "ai.onnx.ml").number(2, 3));
    model.message(8, Protobuf().bytes(1, "").number(2, 17));
    return model.str();
  }

  Protobuf tree_ids_, node_ids_, columns_, values_, left_, right_, missing_left_, target_trees_,
      target_nodes_, target_ids_, target_weights_;
  std::vector<std::string> modes_;
};

/// A loaded session, one thread. Throws std::runtime_error with ONNX Runtime's message.
class OnnxPeer {
 public:
  static std::string library_path() {
    return std::string(COEVAL_SOURCE_DIR) +
           "/third_party/onnxruntime/onnxruntime/lib/libonnxruntime.so";
  }
  static bool is_there() { return std::filesystem::exists(library_path()); }

  OnnxPeer(const std::string& model, std::size_t width) : width_(width) {
    void* library = dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    struct Base {
      const void* const* (*get)(std::uint32_t version);
      const char* (*version)();
    };
    const auto base = reinterpret_cast<const Base* (*)()>(dlsym(library, "OrtGetApiBase"))();
    api_ = base->get(17);
    void *environment = nullptr, *options = nullptr;
    check(at<void*(int, const char*, void**)>(3)(3, "bench", &environment));
    check(at<void*(void**)>(10)(&options));
    check(at<void*(void*, int)>(24)(options, 1));
    check(at<void*(void*, int)>(25)(options, 1));
    check(at<void*(void*, const void*, std::size_t, const void*, void**)>(8)(
        environment, model.data(), model.size(), options, &session_));
    check(at<void*(int, int, void**)>(69)(0, 0, &memory_));
  }

  /// The sum of each row's trees; the first is returned.
  float predict(std::span<const float> rows) const {
    const std::int64_t shape[] = {static_cast<std::int64_t>(rows.size() / width_),
                                  static_cast<std::int64_t>(width_)};
    void *input = nullptr, *output = nullptr;
    check(at<void*(const void*, void*, std::size_t, const std::int64_t*, std::size_t, int, void**)>(
        49)(memory_, const_cast<float*>(rows.data()), rows.size_bytes(), shape, 2, 1, &input));
    const char *in = "x", *out = "y";
    check(at<void*(void*, const void*, const char* const*, void* const*, std::size_t,
                   const char* const*, std::size_t, void**)>(9)(session_, nullptr, &in, &input, 1,
                                                                &out, 1, &output));
    float* values = nullptr;
    check(at<void*(void*, void**)>(51)(output, reinterpret_cast<void**>(&values)));
    const float first = values[0];
    at<void(void*)>(96)(output);
    at<void(void*)>(96)(input);
    return first;
  }

 private:
  template <class F>
  F* at(std::size_t place) const {
    return reinterpret_cast<F*>(const_cast<void*>(api_[place]));
  }
  void check(void* status) const {
    if (status == nullptr) return;
    throw std::runtime_error(at<const char*(const void*)>(2)(status));
  }

  std::size_t width_;
  const void* const* api_ = nullptr;
  void *session_ = nullptr, *memory_ = nullptr;
};

}  // namespace coeval::bench
