#include "quality/column_rules.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/check.h"
#include "base/time.h"
#include "data/json.h"
#include "data/utf8.h"

namespace coeval::quality {

using data::Type;

struct StringRules::Regex {
  explicit Regex(const std::string& pattern) : compiled(pattern, RE2::Quiet) {}
  RE2 compiled;
};

Status StringRules::set_pattern(const std::string& pattern, const std::string& what) {
  auto regex = std::make_shared<const Regex>(pattern);
  if (!regex->compiled.ok())
    return fail(Code::bad_toml_value,
                "pattern of " + what + " cannot be read: " + regex->compiled.error(),
                "patterns are RE2 and must match the whole string");
  automaton_ = TextAutomaton::compile(pattern);
  if (!automaton_) pattern_ = std::move(regex);
  return {};
}

namespace {

// Bytes that begin a character.
std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

std::uint8_t StringRules::broken_by(std::string_view text) const {
  return data::is_utf8(text) ? broken_by_utf8(text) : 1;
}

std::uint8_t StringRules::broken_by_utf8(std::string_view text) const {
  unsigned broken = 0, bit = 2;
  const auto ask = [&broken, &bit](bool holds) {
    if (!holds) broken |= bit;
    bit <<= 1;
  };
  if (automaton_) ask(automaton_->matches(text));
  if (pattern_) ask(RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern_->compiled));
  if (!allowed.empty()) ask(allowed.contains(text));
  if (!min_length && !max_length) return static_cast<std::uint8_t>(broken);
  const std::int64_t length = code_points(text);
  if (min_length) ask(length >= *min_length);
  if (max_length) ask(length <= *max_length);
  return static_cast<std::uint8_t>(broken);
}

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  data::append_json_string(out, data::utf8_prefix(text, 80));
  if (text.size() > 80) out += "...";
  return out;
}

std::string shortened(const std::string& text) {
  return text.size() <= 80 ? text : std::string(data::utf8_prefix(text, 80)) + "...";
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
  RuleCompiler(const define::Source& source, int column, int place, std::vector<Rule>& rules)
      : source_(source),
        declared_(source.columns[static_cast<std::size_t>(column)]),
        place_(place),
        rules_(rules) {}

  Result<ColumnRules> compile(define::Environment environment) {
    out_.type = declared_.type;
    if (!declared_.nullable && declared_.is_in(environment))
      out_.null_rule = add("null", "not be null");
    COEVAL_TRY(add_bounds());
    COEVAL_TRY(add_string_rules());
    if (declared_.max_ahead_us) {
      out_.max_ahead_us = *declared_.max_ahead_us;
      out_.ahead_rule = add("max_ahead", "be at most " + format_duration(out_.max_ahead_us) +
                                             " after its row was known");
    }
    return std::move(out_);
  }

 private:
  int add(const std::string& rule, const std::string& must) {
    rules_.push_back({place_,
                      declared_.name + "." + rule,
                      declared_.name + " must " + must,
                      declared_.severity_of(rule),
                      -1,
                      {place_}});
    return static_cast<int>(rules_.size()) - 1;
  }
  std::string bound_text(const data::Value& bound) const {
    return data::to_text(bound, declared_.type);
  }

  std::unexpected<Error> misplaced(const std::string& what) const {
    return fail(Code::bad_toml_value, "column '" + declared_.name + "' of source '" + source_.name +
                                          "' has " + what + ", which is not for its type " +
                                          std::string(data::name(declared_.type)));
  }

  Status add_bounds() {
    if (has_integer_range(out_.type)) return add_integer_bounds();
    if (data::is_float(out_.type)) {
      add_float_bounds();
      return {};
    }
    if (data::is_list(out_.type)) add_list_rules();
    if (declared_.min || declared_.max) return misplaced("min or max");
    return {};
  }

  Status add_integer_bounds() {
    const auto* min = declared_.min ? std::get_if<std::int64_t>(&*declared_.min) : nullptr;
    const auto* max = declared_.max ? std::get_if<std::int64_t>(&*declared_.max) : nullptr;
    if ((declared_.min && min == nullptr) || (declared_.max && max == nullptr))
      return misplaced("a bound that is no integer");
    if (min != nullptr) {
      out_.integers.min = *min;
      out_.integers.min_rule = add("min", "be at least " + bound_text(*min));
    }
    if (max != nullptr) {
      out_.integers.max = *max;
      out_.integers.max_rule = add("max", "be at most " + bound_text(*max));
    }
    return {};
  }

  void add_float_bounds() {
    if (declared_.finite) out_.floats.finite_rule = add("finite", "be a finite number");  // V2
    if (declared_.min) {
      out_.floats.min = number(*declared_.min);
      out_.floats.min_rule = add("min", "be at least " + bound_text(*declared_.min));
    }
    if (declared_.max) {
      out_.floats.max = number(*declared_.max);
      out_.floats.max_rule = add("max", "be at most " + bound_text(*declared_.max));
    }
  }

  void add_list_rules() {
    const std::string length = std::to_string(data::list_length(out_.type));
    out_.length_rule = add("length", "have " + length + " elements");
    // semantics: V1 V2
    out_.elements_rule = add("finite", "have finite numbers as elements, and no nulls");
  }

  Status add_string_rules() {
    StringRules& strings = out_.strings;
    if (out_.type != Type::string) {
      if (declared_.pattern || !declared_.allowed.empty()) return misplaced("a pattern or enum");
      return {};
    }
    strings.rules.push_back(add("utf8", "be UTF-8"));  // semantics: V1
    if (declared_.pattern) {
      COEVAL_TRY(strings.set_pattern(
          *declared_.pattern, "column '" + declared_.name + "' of source '" + source_.name + "'"));
      strings.rules.push_back(add("pattern", "match " + *declared_.pattern));
    }
    if (!declared_.allowed.empty()) {
      strings.allowed.insert(declared_.allowed.begin(), declared_.allowed.end());
      strings.rules.push_back(add("enum", "be one of " + list_text(declared_.allowed)));
    }
    add_lengths(strings);
    return {};
  }

  void add_lengths(StringRules& strings) {
    strings.min_length = declared_.min_length;
    strings.max_length = declared_.max_length;
    const auto characters = [](std::int64_t count) {
      return std::to_string(count) + (count == 1 ? " character" : " characters");
    };
    if (strings.min_length)
      strings.rules.push_back(
          add("min_length", "have at least " + characters(*strings.min_length)));
    if (strings.max_length)
      strings.rules.push_back(add("max_length", "have at most " + characters(*strings.max_length)));
  }

  const define::Source& source_;
  const define::SourceColumn& declared_;
  int place_;
  std::vector<Rule>& rules_;
  ColumnRules out_;
};

}  // namespace

Result<ColumnRules> compile_column_rules(const define::Source& source, int column, int place,
                                         define::Environment environment,
                                         std::vector<Rule>& rules) {
  return RuleCompiler(source, column, place, rules).compile(environment);
}

void scan_column(const data::Column& column, const ColumnRules& rules, const data::Column* times,
                 Findings& findings) {
  COEVAL_CHECK(column.type() == rules.type);
  if (rules.null_rule >= 0) scan_nulls(column, rules.null_rule, findings);
  if (rules.has_range()) scan_integers(column, rules.integers, findings);
  if (data::is_float(rules.type)) scan_floats(column, rules.floats, findings);
  if (data::is_list(rules.type))
    scan_lists(column, rules.length_rule, rules.elements_rule, findings);
  if (rules.ahead_rule >= 0 && times != nullptr)
    scan_ahead(column, rules.max_ahead_us, *times, rules.ahead_rule, findings);
  if (rules.strings.rules.empty()) return;
  const StringVerdict verdict{
      [&rules](std::string_view text) { return rules.strings.broken_by(text); },
      [&rules](std::string_view text) { return rules.strings.broken_by_utf8(text); },
      rules.strings.is_dear()};
  scan_strings(column, verdict, rules.strings.rules, findings);
}

std::string value_text(const data::Value& value, Type type) {
  if (data::is_list(type)) return shortened(data::to_text(value, type));
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? quoted(*text) : data::to_text(value, type);
}

}  // namespace coeval::quality
