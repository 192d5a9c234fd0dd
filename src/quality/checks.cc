#include "quality/checks.h"

#include <re2/re2.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/check.h"
#include "data/json.h"
#include "data/utf8.h"
#include "quality/scans.h"

namespace coeval::quality {

namespace {

using data::Type;

// The compiled rules of one column; numbers of rules are -1 where there is no such rule.
struct ColumnRules {
  Type type = Type::null;
  int null_rule = -1;
  IntegerRange integers;
  FloatRange floats;
  std::unique_ptr<RE2> pattern;
  std::set<std::string, std::less<>> allowed;
  std::vector<int> string_rules;             // the pattern's before the enum's, those there are
  int length_rule = -1, elements_rule = -1;  // of lists
  bool has_range() const { return integers.min_rule >= 0 || integers.max_rule >= 0; }
};

std::uint8_t broken_by(const ColumnRules& rules, std::string_view text) {
  unsigned broken = 0, bit = 1;
  if (rules.pattern != nullptr) {
    if (!RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *rules.pattern)) broken |= bit;
    bit <<= 1;
  }
  if (!rules.allowed.empty() && !rules.allowed.contains(text)) broken |= bit;
  return static_cast<std::uint8_t>(broken);
}

std::string quoted(std::string_view text) {
  std::string out;
  data::append_json_string(out, data::utf8_prefix(text, 80));
  if (text.size() > 80) out += "...";
  return out;
}

std::string shortened(const std::string& text) {
  return text.size() <= 80 ? text : std::string(data::utf8_prefix(text, 80)) + "...";
}

std::string value_text(const data::Value& value, Type type) {
  if (data::is_list(type)) return shortened(data::to_text(value, type));
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? quoted(*text) : data::to_text(value, type);
}

std::string list_text(const std::vector<std::string>& allowed) {
  constexpr std::size_t kShown = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, allowed.size()); ++i)
    out += (i == 0 ? "" : ", ") + quoted(allowed[i]);
  if (allowed.size() > kShown) out += ", ... of " + std::to_string(allowed.size());
  return out;
}

bool has_integer_range(Type type) {
  return data::is_integer(type) || data::is_decimal(type) || type == Type::timestamp ||
         type == Type::date;
}

double number(const data::Value& bound) {
  const auto* integer = std::get_if<std::int64_t>(&bound);
  return integer != nullptr ? static_cast<double>(*integer) : std::get<double>(bound);
}

// Turns the declarations of one source's columns into numbered rules.
class RuleCompiler {
 public:
  RuleCompiler(const define::Source& source, std::vector<Rule>& rules)
      : source_(source), rules_(rules) {}
  /// The rules of the source's column, which is the rows' column `place`.
  Result<ColumnRules> compile(int column, int place);

 private:
  int add(const std::string& rule, const std::string& must);
  Status add_bounds(ColumnRules& out);
  Status add_integer_bounds(ColumnRules& out);
  void add_float_bounds(ColumnRules& out);
  Status add_string_rules(ColumnRules& out);
  void add_list_rules(ColumnRules& out);
  std::unexpected<Error> misplaced(const std::string& what) const;

  const define::Source& source_;
  std::vector<Rule>& rules_;
  int place_ = -1;
  const define::SourceColumn* declared_ = nullptr;
};

int RuleCompiler::add(const std::string& rule, const std::string& must) {
  rules_.push_back({place_, declared_->name + "." + rule, declared_->name + " must " + must});
  return static_cast<int>(rules_.size()) - 1;
}

std::unexpected<Error> RuleCompiler::misplaced(const std::string& what) const {
  return fail(Code::bad_toml_value, "column '" + declared_->name + "' of source '" + source_.name +
                                        "' has " + what + ", which is not for its type " +
                                        std::string(data::name(declared_->type)));
}

Status RuleCompiler::add_integer_bounds(ColumnRules& out) {
  const auto* min = declared_->min ? std::get_if<std::int64_t>(&*declared_->min) : nullptr;
  const auto* max = declared_->max ? std::get_if<std::int64_t>(&*declared_->max) : nullptr;
  if ((declared_->min && min == nullptr) || (declared_->max && max == nullptr))
    return misplaced("a bound that is no integer");
  if (min != nullptr) {
    out.integers.min = *min;
    out.integers.min_rule = add("min", "be at least " + data::to_text(*min, out.type));
  }
  if (max != nullptr) {
    out.integers.max = *max;
    out.integers.max_rule = add("max", "be at most " + data::to_text(*max, out.type));
  }
  return {};
}

void RuleCompiler::add_float_bounds(ColumnRules& out) {
  out.floats.finite_rule = add("finite", "be a finite number");  // semantics: V2
  if (declared_->min) {
    out.floats.min = number(*declared_->min);
    out.floats.min_rule = add("min", "be at least " + data::to_text(*declared_->min, out.type));
  }
  if (declared_->max) {
    out.floats.max = number(*declared_->max);
    out.floats.max_rule = add("max", "be at most " + data::to_text(*declared_->max, out.type));
  }
}

void RuleCompiler::add_list_rules(ColumnRules& out) {
  const std::string length = std::to_string(data::list_length(out.type));
  out.length_rule = add("length", "have " + length + " elements");
  // semantics: V1 V2
  out.elements_rule = add("finite", "have finite numbers as elements, and no nulls");
}

Status RuleCompiler::add_bounds(ColumnRules& out) {
  if (has_integer_range(out.type)) return add_integer_bounds(out);
  if (data::is_float(out.type)) {
    add_float_bounds(out);
    return {};
  }
  if (data::is_list(out.type)) add_list_rules(out);
  if (declared_->min || declared_->max) return misplaced("min or max");
  return {};
}

Status RuleCompiler::add_string_rules(ColumnRules& out) {
  if (out.type != Type::string && (declared_->pattern || !declared_->allowed.empty()))
    return misplaced("a pattern or enum");
  if (declared_->pattern) {
    out.pattern = std::make_unique<RE2>(*declared_->pattern, RE2::Quiet);
    if (!out.pattern->ok())
      return fail(Code::bad_toml_value,
                  "pattern of column '" + declared_->name + "' of source '" + source_.name +
                      "' cannot be read: " + out.pattern->error(),
                  "patterns are RE2 and must match the whole string");
    out.string_rules.push_back(add("pattern", "match " + *declared_->pattern));
  }
  if (!declared_->allowed.empty()) {
    out.allowed.insert(declared_->allowed.begin(), declared_->allowed.end());
    out.string_rules.push_back(add("enum", "be one of " + list_text(declared_->allowed)));
  }
  return {};
}

Result<ColumnRules> RuleCompiler::compile(int column, int place) {
  place_ = place;
  declared_ = &source_.columns[static_cast<std::size_t>(column)];
  ColumnRules out;
  out.type = declared_->type;
  if (!declared_->nullable) out.null_rule = add("null", "not be null");
  COEVAL_TRY(add_bounds(out));
  COEVAL_TRY(add_string_rules(out));
  return out;
}

void scan_column(const data::Column& column, const ColumnRules& rules, Findings& findings) {
  COEVAL_CHECK(column.type() == rules.type);
  if (rules.null_rule >= 0) scan_nulls(column, rules.null_rule, findings);
  if (rules.has_range()) scan_integers(column, rules.integers, findings);
  if (data::is_float(rules.type)) scan_floats(column, rules.floats, findings);
  if (data::is_list(rules.type))
    scan_lists(column, rules.length_rule, rules.elements_rule, findings);
  if (rules.string_rules.empty()) return;
  const auto verdict = [&rules](std::string_view text) { return broken_by(rules, text); };
  scan_strings(column, verdict, rules.string_rules, findings);
}

std::vector<RowVerdict> by_row(Findings findings) {
  std::sort(findings.begin(), findings.end());
  std::vector<RowVerdict> verdicts;
  for (const Finding& finding : findings) {
    if (verdicts.empty() || verdicts.back().row != finding.row)
      verdicts.push_back({finding.row, {}});
    verdicts.back().rules.push_back(finding.rule);
  }
  return verdicts;
}

}  // namespace

struct RowChecks::Parts {
  std::vector<Rule> rules;
  std::vector<ColumnRules> columns;
};

RowChecks::RowChecks() : parts_(std::make_unique<Parts>()) {}
RowChecks::~RowChecks() = default;

Result<std::unique_ptr<RowChecks>> RowChecks::compile(const define::Source& source) {
  std::vector<int> all(source.columns.size());
  std::iota(all.begin(), all.end(), 0);
  return compile(source, all);
}

Result<std::unique_ptr<RowChecks>> RowChecks::compile(const define::Source& source,
                                                      std::span<const int> columns) {
  std::unique_ptr<RowChecks> checks(new RowChecks());
  RuleCompiler compiler(source, checks->parts_->rules);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    COEVAL_ASSIGN(ColumnRules rules, compiler.compile(columns[i], static_cast<int>(i)));
    checks->parts_->columns.push_back(std::move(rules));
  }
  return checks;
}

const std::vector<Rule>& RowChecks::rules() const { return parts_->rules; }

std::vector<RowVerdict> RowChecks::check(const data::Batch& batch) const {
  COEVAL_CHECK(batch.columns.size() == parts_->columns.size());
  Findings findings;
  for (std::size_t i = 0; i < batch.columns.size(); ++i)
    scan_column(batch.columns[i], parts_->columns[i], findings);
  return by_row(std::move(findings));
}

std::string RowChecks::explain(const data::Batch& batch, std::int64_t row, int rule) const {
  const Rule& broken = parts_->rules[static_cast<std::size_t>(rule)];
  const data::Column& column = batch.columns[static_cast<std::size_t>(broken.column)];
  if (column.is_null(row)) return broken.description;
  return broken.description + ", found " + value_text(column.value(row), column.type());
}

}  // namespace coeval::quality
