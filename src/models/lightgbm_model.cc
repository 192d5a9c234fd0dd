#include "models/lightgbm_model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace coeval::models {
namespace {

/// As in XGBoost's models: more than any table or any set of classes that fits a row's budget.
constexpr std::int64_t kMaxColumns = 1 << 20;
constexpr std::int64_t kMaxOutputs = 1 << 12;

std::unexpected<Error> bad_part(std::string_view part, const std::string& what) {
  return fail(Code::bad_model, "LightGBM model: '" + std::string(part) + "' " + what,
              "the file is damaged or of another format; take it from its source again");
}

std::unexpected<Error> not_supported(const std::string& what, std::string advice = {}) {
  return fail(Code::unsupported, "LightGBM model with " + what + " is not supported",
              std::move(advice));
}

/// Takes what stands before `separator` off the front of `text`, and the separator with it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

template <class T>
Result<T> parse_number(std::string_view digits, std::string_view key) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return bad_part(key, "is not a number: '" + std::string(digits.substr(0, 40)) + "'");
  }
  return value;
}

/// Lines `key=value` up to an empty line. A line without a = is a key alone.
class Section {
 public:
  explicit Section(std::string_view& text) {
    while (!text.empty()) {
      std::string_view line = take_until(text, '\n');
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) return;
      const bool has_value = line.contains('=');
      const std::string_view key = take_until(line, '=');
      lines_.emplace_back(key, has_value ? line : std::string_view());
    }
  }

  bool empty() const { return lines_.empty(); }
  std::string_view first_key() const { return lines_.front().first; }

  const std::string_view* find(std::string_view key) const {
    const auto found = std::ranges::find(lines_, key, &Line::first);
    return found == lines_.end() ? nullptr : &found->second;
  }

  Result<std::string_view> text(std::string_view key) const {
    const std::string_view* found = find(key);
    if (found == nullptr) return bad_part(key, "is missing");
    return *found;
  }

  template <class T>
  Result<T> number(std::string_view key) const {
    COEVAL_ASSIGN(const std::string_view digits, text(key));
    return parse_number<T>(digits, key);
  }

  /// Exactly `count` numbers with a space between. Memory follows the text, not the count.
  template <class T>
  Result<std::vector<T>> numbers(std::string_view key, std::size_t count) const {
    COEVAL_ASSIGN(std::string_view left, text(key));
    std::vector<T> values;
    while (!left.empty()) {
      const std::string_view digits = take_until(left, ' ');
      if (digits.empty()) continue;
      COEVAL_ASSIGN(const T value, parse_number<T>(digits, key));
      values.push_back(value);
    }
    if (values.size() != count) {
      return bad_part(key, "has " + std::to_string(values.size()) + " values instead of " +
                               std::to_string(count));
    }
    return values;
  }

 private:
  using Line = std::pair<std::string_view, std::string_view>;
  std::vector<Line> lines_;
};

using Link = ForestLink::Kind;

struct Objective {
  std::string_view name;
  Link link;
};
constexpr Objective kObjectives[] = {
    {"binary", Link::logistic},
    {"multiclass", Link::softmax},
    {"multiclassova", Link::logistic},
    {"cross_entropy", Link::logistic},
    {"cross_entropy_lambda", Link::log1p_exp},
    {"regression", Link::identity},
    {"regression_l1", Link::identity},
    {"huber", Link::identity},
    {"fair", Link::identity},
    {"quantile", Link::identity},
    {"mape", Link::identity},
    {"poisson", Link::exponential},
    {"gamma", Link::exponential},
    {"tweedie", Link::exponential},
    {"lambdarank", Link::identity},
    {"rank_xendcg", Link::identity},
};

/// "binary sigmoid:1", "multiclass num_class:3", "regression sqrt".
Status read_link(std::string_view words, ForestLink& link) {
  const std::string_view name = take_until(words, ' ');
  const auto* found = std::ranges::find(kObjectives, name, &Objective::name);
  if (found == std::end(kObjectives)) {
    std::string known;
    for (const Objective& one : kObjectives) {
      known += (known.empty() ? "" : ", ") + std::string(one.name);
    }
    return not_supported("objective '" + std::string(name) + "'", "train with one of " + known);
  }
  link.kind = found->link;
  while (!words.empty()) {
    std::string_view word = take_until(words, ' ');
    const std::string_view key = take_until(word, ':');
    if (key == "sqrt" && link.kind == Link::identity) link.kind = Link::signed_square;
    if (key != "sigmoid") continue;
    COEVAL_ASSIGN(link.steepness, parse_number<double>(word, "objective"));
    if (!(link.steepness > 0) || !std::isfinite(link.steepness)) {
      return bad_part("objective", "has a sigmoid that is not positive");
    }
  }
  return {};
}

Status check_version(const Section& header) {
  COEVAL_ASSIGN(const std::string_view version, header.text("version"));
  if (version == "v3" || version == "v4") return {};
  return not_supported("version '" + std::string(version.substr(0, 40)) + "'",
                       "save it with LightGBM 3 or 4");
}

Result<SourceForest> read_header(const Section& header) {
  COEVAL_TRY(check_version(header));
  SourceForest forest;
  forest.library = "LightGBM";
  forest.in_float64 = forest.sets_go_left = forest.or_equal = true;
  COEVAL_ASSIGN(const auto last_column, header.number<std::int64_t>("max_feature_idx"));
  if (last_column < 0) return bad_part("max_feature_idx", "is negative");
  if (last_column >= kMaxColumns) return not_supported(std::to_string(last_column) + " columns");
  COEVAL_ASSIGN(const auto outputs, header.number<std::int64_t>("num_tree_per_iteration"));
  if (outputs < 1) return bad_part("num_tree_per_iteration", "is not positive");
  if (outputs > kMaxOutputs) return not_supported(std::to_string(outputs) + " outputs");
  forest.width = static_cast<std::size_t>(last_column) + 1;
  forest.outputs = static_cast<std::size_t>(outputs);
  forest.base_margins.assign(forest.outputs, 0.0f);
  // A custom objective leaves no line; its model answers with the margin.
  const std::string_view* objective = header.find("objective");
  if (objective != nullptr) COEVAL_TRY(read_link(*objective, forest.link));
  return forest;
}

/// Bits of decision_type.
constexpr unsigned kCategorical = 1, kDefaultLeft = 2, kMissingShift = 2;

Result<Missing> missing_of(unsigned decision) {
  switch (decision >> kMissingShift & 3) {
    case 0:
      return Missing::none;
    case 1:
      return Missing::zero;
    case 2:
      return Missing::nan_not_tiny;
    default:
      return bad_part("decision_type", "has an unknown kind of missing value");
  }
}

/// The last float32 up to a threshold: for float32 x both bounds are the same.
float last_up_to(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  return static_cast<double>(nearest) > threshold
             ? std::nextafter(nearest, -std::numeric_limits<float>::infinity())
             : nearest;
}

/// Turns a tree's lines into arrays: its splits, then its leaves.
class TreeReader {
 public:
  explicit TreeReader(const Section& section) : section_(section) {}

  Result<SourceTree> read(Covers covers) && {
    COEVAL_TRY(check_kind());
    COEVAL_ASSIGN(const auto leaves, section_.number<std::int64_t>("num_leaves"));
    if (leaves < 1) return bad_part("num_leaves", "is not positive");
    leaves_ = static_cast<std::size_t>(leaves);
    COEVAL_ASSIGN(const auto values, section_.numbers<double>("leaf_value", leaves_));
    splits_ = leaves_ - 1;
    resize();
    std::ranges::copy(values, tree_.leaf_values.begin() + static_cast<std::ptrdiff_t>(splits_));
    if (splits_ > 0) COEVAL_TRY(read_splits());
    if (covers == Covers::yes) COEVAL_TRY(read_covers());
    return std::move(tree_);
  }

 private:
  Status check_kind() const {
    const std::string_view* linear = section_.find("is_linear");
    if (linear == nullptr || *linear == "0") return {};
    return not_supported("linear trees", "train with linear_tree = false");
  }

  void resize() {
    const std::size_t nodes = splits_ + leaves_;
    tree_.left.assign(nodes, -1);
    tree_.right.assign(nodes, -1);
    tree_.columns.assign(nodes, 0);
    tree_.conditions.assign(nodes, 0);
    tree_.default_left.assign(nodes, 0);
    tree_.categorical.assign(nodes, 0);
    tree_.missing.assign(nodes, Missing::none);
    tree_.leaf_values.assign(nodes, 0);
  }

  Status read_splits() {
    COEVAL_ASSIGN(const auto columns, section_.numbers<std::int32_t>("split_feature", splits_));
    std::ranges::copy(columns, tree_.columns.begin());
    COEVAL_TRY(read_children("left_child", tree_.left));
    COEVAL_TRY(read_children("right_child", tree_.right));
    COEVAL_ASSIGN(const auto thresholds, section_.numbers<double>("threshold", splits_));
    COEVAL_ASSIGN(const auto decisions, section_.numbers<unsigned>("decision_type", splits_));
    COEVAL_TRY(read_category_sets());
    for (std::size_t node = 0; node < splits_; ++node) {
      COEVAL_TRY(read_split(node, thresholds[node], decisions[node]));
    }
    return {};
  }

  /// A negative child c is leaf ~c.
  Status read_children(std::string_view key, std::vector<std::int32_t>& children) {
    COEVAL_ASSIGN(const auto stored, section_.numbers<std::int32_t>(key, splits_));
    for (std::size_t node = 0; node < splits_; ++node) {
      const std::int64_t child = stored[node];
      const auto place = static_cast<std::size_t>(child < 0 ? ~child : child);
      if (place >= (child < 0 ? leaves_ : splits_)) {
        return bad_part(key, "names a child that does not exist: " + std::to_string(child));
      }
      children[node] = static_cast<std::int32_t>(child < 0 ? splits_ + place : place);
    }
    return {};
  }

  Status read_split(std::size_t node, double threshold, unsigned decision) {
    // Infinity is a threshold too: every number goes left, and only what is missing may not.
    if (std::isnan(threshold)) return bad_part("threshold", "is not a number");
    if ((decision & kCategorical) != 0) return read_category_split(node, threshold);
    COEVAL_ASSIGN(tree_.missing[node], missing_of(decision));
    tree_.default_left[node] = (decision & kDefaultLeft) != 0 ? 1 : 0;
    tree_.conditions[node] = last_up_to(threshold);
    return {};
  }

  /// The threshold is the number of the split's category set. What is missing goes right.
  Status read_category_split(std::size_t node, double threshold) {
    const std::size_t sets = set_begins_.empty() ? 0 : set_begins_.size() - 1;
    if (!(threshold >= 0) || threshold >= static_cast<double>(sets)) {
      return bad_part("threshold", "names a category set that does not exist");
    }
    const auto set = static_cast<std::size_t>(threshold);
    tree_.categorical[node] = 1;
    tree_.category_nodes.push_back(static_cast<std::int32_t>(node));
    tree_.category_begins.push_back(set_begins_[set]);
    tree_.category_sizes.push_back(set_begins_[set + 1] - set_begins_[set]);
    return {};
  }

  /// Bitsets of 32 codes a word become lists of codes.
  Status read_category_sets() {
    COEVAL_ASSIGN(const auto count, section_.number<std::int64_t>("num_cat"));
    if (count < 0) return bad_part("num_cat", "is negative");
    if (count == 0) return {};
    const auto sets = static_cast<std::size_t>(count);
    COEVAL_ASSIGN(const auto ends, section_.numbers<std::int64_t>("cat_boundaries", sets + 1));
    if (ends.front() != 0 || !std::ranges::is_sorted(ends)) {
      return bad_part("cat_boundaries", "does not ascend from 0");
    }
    COEVAL_ASSIGN(const auto words, section_.numbers<std::uint32_t>(
                                        "cat_threshold", static_cast<std::size_t>(ends.back())));
    set_begins_.push_back(0);
    for (std::size_t set = 0; set < sets; ++set) {
      for (std::int64_t word = ends[set]; word < ends[set + 1]; ++word) {
        add_codes(words[static_cast<std::size_t>(word)], (word - ends[set]) * 32);
      }
      set_begins_.push_back(static_cast<std::int64_t>(tree_.categories.size()));
    }
    return {};
  }

  void add_codes(std::uint32_t word, std::int64_t first) {
    for (std::int64_t bit = 0; bit < 32; ++bit) {
      if ((word >> bit & 1) == 0) continue;
      // A code too large for an int32 is far beyond what the layout takes: it says so.
      tree_.categories.push_back(static_cast<std::int32_t>(
          std::min<std::int64_t>(first + bit, std::numeric_limits<std::int32_t>::max())));
    }
  }

  /// The rows of the leaves; lay_out's caller sums them upwards. A tree that is one leaf has none.
  Status read_covers() {
    tree_.covers.assign(tree_.size(), 0);
    if (splits_ == 0) {
      tree_.covers[0] = 1;
      return {};
    }
    COEVAL_ASSIGN(const auto rows, section_.numbers<std::int64_t>("leaf_count", leaves_));
    for (std::size_t leaf = 0; leaf < leaves_; ++leaf) {
      if (rows[leaf] < 0) return bad_part("leaf_count", "is negative");
      tree_.covers[splits_ + leaf] = static_cast<double>(rows[leaf]);
    }
    return {};
  }

  const Section& section_;
  std::size_t leaves_ = 0, splits_ = 0;
  std::vector<std::int64_t> set_begins_;  ///< one more than there are sets
  SourceTree tree_;
};

/// What LightGBM's Python package adds when it was trained on a table of pandas with categories.
Status check_dictionaries(std::string_view rest) {
  constexpr std::string_view kKey = "\npandas_categorical:";
  const std::size_t at = rest.rfind(kKey);
  if (at == std::string_view::npos) return {};
  rest.remove_prefix(at + kKey.size());
  const std::string_view value = take_until(rest, '\n');
  if (value.empty() || value == "null" || value == "[]") return {};
  return not_supported("category dictionaries of its own",
                       "train it on codes, so that the encoder's dictionary is the only one");
}

constexpr std::string_view kTreesEnd = "end of trees";

Status read_trees(std::string_view text, Covers covers, SourceForest& forest) {
  while (true) {
    const Section section(text);
    if (section.empty()) {
      if (text.empty()) return bad_part(kTreesEnd, "is missing: the file is cut off");
      continue;
    }
    if (section.first_key() == kTreesEnd) break;
    const std::string name = "Tree=" + std::to_string(forest.trees.size());
    if (section.first_key() != "Tree" || *section.find("Tree") != name.substr(5)) {
      return bad_part(name, "is missing");
    }
    auto tree = TreeReader(section).read(covers);
    if (!tree) return std::unexpected(std::move(tree).error().within("in " + name));
    if (forest.outputs > 1) {
      forest.tree_outputs.push_back(
          static_cast<std::uint32_t>(forest.trees.size() % forest.outputs));
    }
    forest.trees.push_back(std::move(*tree));
  }
  if (forest.trees.size() % forest.outputs != 0) {
    return bad_part("num_tree_per_iteration", "does not divide the number of trees");
  }
  return check_dictionaries(text);
}

}  // namespace

bool is_lightgbm(std::string_view bytes) {
  return bytes.starts_with("tree\n") || bytes.starts_with("tree\r\n");
}

Result<SourceForest> read_lightgbm(std::string_view text, Covers covers) {
  if (!is_lightgbm(text)) return bad_part("tree", "does not begin the file");
  const Section header(text);
  COEVAL_ASSIGN(SourceForest forest, read_header(header));
  COEVAL_TRY(read_trees(text, covers, forest));
  if (header.find("average_output") != nullptr && !forest.trees.empty()) {
    forest.link.divisor = static_cast<double>(forest.trees.size() / forest.outputs);
  }
  return forest;
}

}  // namespace coeval::models
