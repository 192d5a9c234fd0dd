#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coeval::serving::testing {

/// A tree of one split: column < threshold ? low : high; missing goes left.
struct Stump {
  std::int32_t column = 0;
  float threshold = 0, low = 0, high = 0;
};

/// Writes XGBoost's UBJSON by hand, so that these tests need no trainer.
class UbjText {
 public:
  UbjText& open() { return put('{'); }
  UbjText& close() { return put('}'); }
  UbjText& open_array() { return put('['); }
  UbjText& close_array() { return put(']'); }
  UbjText& key(std::string_view name) { return length(name.size()).raw(name); }
  UbjText& text(std::string_view name, std::string_view value) {
    return key(name).put('S').length(value.size()).raw(value);
  }
  UbjText& integers(std::string_view name, const std::vector<std::int32_t>& values) {
    head(name, 'l', values.size());
    for (const std::int32_t value : values) big_endian(static_cast<std::uint32_t>(value), 4);
    return *this;
  }
  UbjText& bytes(std::string_view name, const std::vector<std::uint8_t>& values) {
    head(name, 'U', values.size());
    for (const std::uint8_t value : values) big_endian(value, 1);
    return *this;
  }
  UbjText& reals(std::string_view name, const std::vector<float>& values) {
    head(name, 'd', values.size());
    for (const float value : values) big_endian(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  UbjText& put(char c) {
    out_ += c;
    return *this;
  }
  UbjText& raw(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  UbjText& length(std::size_t size) {
    put('L');
    big_endian(size, 8);
    return *this;
  }
  void head(std::string_view name, char type, std::size_t count) {
    key(name).put('[').put('$').put(type).put('#').length(count);
  }
  void big_endian(std::uint64_t value, int size) {
    for (int i = size - 1; i >= 0; --i) out_ += static_cast<char>(value >> (8 * i) & 0xff);
  }
  std::string out_;
};

inline void write_stump(UbjText& ubj, const Stump& stump) {
  ubj.open();
  ubj.key("tree_param").open().text("size_leaf_vector", "1").close();
  ubj.integers("left_children", {1, -1, -1}).integers("right_children", {2, -1, -1});
  ubj.integers("split_indices", {stump.column, 0, 0});
  ubj.reals("split_conditions", {stump.threshold, stump.low, stump.high});
  ubj.bytes("default_left", {1, 0, 0}).bytes("split_type", {0, 0, 0});
  for (const char* name :
       {"categories", "categories_nodes", "categories_segments", "categories_sizes"}) {
    ubj.integers(name, {});
  }
  ubj.close();
}

/// binary:logistic with base_score 0.5, so the margin is the sum of the leaves in float32.
inline std::string forest_ubj(std::size_t width, const std::vector<Stump>& stumps) {
  UbjText ubj;
  ubj.open().integers("version", {3, 4, 1}).key("learner").open();
  ubj.key("learner_model_param").open();
  ubj.text("base_score", "5E-1")
      .text("num_class", "0")
      .text("num_feature", std::to_string(width))
      .close();
  ubj.key("objective").open().text("name", "binary:logistic").close();
  ubj.key("gradient_booster").open().text("name", "gbtree").key("model").open();
  ubj.integers("tree_info", std::vector<std::int32_t>(stumps.size(), 0));
  ubj.key("trees").open_array();
  for (const Stump& stump : stumps) write_stump(ubj, stump);
  ubj.close_array().close().close().close().close();
  return ubj.str();
}

}  // namespace coeval::serving::testing
