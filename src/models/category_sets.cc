#include "models/category_sets.h"

#include <algorithm>
#include <string>

namespace coeval::models {
namespace {

/// Codes come as float32, where integers end to be exact at 2^24.
constexpr std::int32_t kCodesEnd = 1 << 24;
/// 128 MiB. A damaged or hostile file must not ask for more memory than a real model needs.
constexpr std::size_t kMaxWords = std::size_t{1} << 25;

/// Codes of all sets together. Sets of a small file may share one long list; reading it for each
/// must not take minutes.
constexpr std::int64_t kMaxCodes = std::int64_t{1} << 27;

std::span<const std::int32_t> codes(const SourceTree& tree, std::size_t set) {
  return std::span(tree.categories)
      .subspan(static_cast<std::size_t>(tree.category_begins[set]),
               static_cast<std::size_t>(tree.category_sizes[set]));
}

std::size_t node_of(const SourceTree& tree, std::size_t set) {
  return static_cast<std::size_t>(tree.category_nodes[set]);
}

std::size_t column_of(const SourceTree& tree, std::size_t set) {
  return static_cast<std::size_t>(tree.columns[node_of(tree, set)]);
}

}  // namespace

std::unexpected<Error> CategorySets::bad_sets(const std::string& what) const {
  return fail(Code::bad_model, std::string(library_) + " model: a tree " + what,
              "the file is damaged; take it from its source again");
}

Status CategorySets::count(const SourceTree& tree) {
  std::vector<bool> seen(tree.category_nodes.empty() ? 0 : tree.size(), false);
  for (std::size_t set = 0; set < tree.category_nodes.size(); ++set) {
    COEVAL_TRY(count_set(tree, set));
    if (seen[node_of(tree, set)]) return bad_sets("has two category sets for one node");
    seen[node_of(tree, set)] = true;
  }
  return {};
}

Status CategorySets::count_set(const SourceTree& tree, std::size_t set) {
  const std::int32_t node = tree.category_nodes[set];
  if (node < 0 || static_cast<std::size_t>(node) >= tree.size()) {
    return bad_sets("has categories of a node that does not exist: " + std::to_string(node));
  }
  const std::int64_t begin = tree.category_begins[set], size = tree.category_sizes[set];
  const auto stored = static_cast<std::int64_t>(tree.categories.size());
  if (begin < 0 || size < 0 || begin > stored || size > stored - begin) {
    return bad_sets("has category sets beyond their array");
  }
  Column& column = columns_[column_of(tree, set)];
  column.limit = std::max(column.limit, 1u);  // the column has a block even where sets are empty
  ++column.sets;
  total_codes_ += size;
  if (total_codes_ > kMaxCodes) {
    return fail(
        Code::unsupported,
        std::string(library_) + " model whose category sets have over 2^27 codes is not supported",
        "use fewer categories or fewer trees");
  }
  for (const std::int32_t code : codes(tree, set)) {
    if (code < 0 || code >= kCodesEnd) return bad_sets("has category " + std::to_string(code));
    column.limit = std::max(column.limit, static_cast<std::uint32_t>(code) + 1);
  }
  return {};
}

Status CategorySets::allocate(ForestLayout& layout) {
  std::size_t key = layout.planes.size() * layout.width, word = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (column.limit == 0) continue;
    const std::uint32_t words = (column.sets + 31) / 32;
    column.block = layout.category_columns.size();
    layout.category_columns.push_back({static_cast<std::uint32_t>(i), column.limit, words,
                                       static_cast<std::uint32_t>(key), word});
    key += words;
    word += (std::size_t{column.limit} + 2) * words;
    if (word > kMaxWords) {
      return fail(
          Code::unsupported,
          std::string(library_) + " model whose category sets need over 128 MiB is not supported",
          "use fewer categories or fewer trees");
    }
  }
  layout.keys_count = key + 1;
  // A set bit is right; here: where a code goes unless a node's set has it.
  layout.category_bits.assign(word, sets_go_left_ ? ~0u : 0u);
  return {};
}

std::uint32_t CategorySets::add(ForestLayout& layout, const SourceTree& tree, std::uint32_t set) {
  Column& column = columns_[column_of(tree, set)];
  const ForestLayout::CategoryColumn& block = layout.category_columns[column.block];
  const std::uint32_t word = column.added / 32, shift = column.added % 32;
  ++column.added;
  const auto send = [&](std::uint32_t row, bool left) {
    std::uint32_t& bits =
        layout.category_bits[block.first_word + std::size_t{row} * block.words + word];
    const std::uint32_t mask = 0x8000'0000u >> shift;
    bits = left ? bits & ~mask : bits | mask;
  };
  for (const std::int32_t code : codes(tree, set)) {
    send(static_cast<std::uint32_t>(code), sets_go_left_);
  }
  send(block.limit + 1, tree.default_left[node_of(tree, set)] != 0);
  return (block.first_key + word) * 32 + shift;
}

std::vector<std::uint32_t> CategorySets::index(const SourceTree& tree) {
  std::vector<std::uint32_t> sets(tree.size(), kNoSet);
  for (std::uint32_t set = 0; set < tree.category_nodes.size(); ++set) {
    sets[node_of(tree, set)] = set;
  }
  return sets;
}

}  // namespace coeval::models
