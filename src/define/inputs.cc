#include "define/inputs.h"

#include <algorithm>
#include <set>

#include "define/build.h"
#include "define/checker.h"
#include "define/functions.h"
#include "define/parser.h"
#include "define/question_keys.h"

namespace coeval::define {

namespace {

using data::Type;

bool is_glob_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '*';
}

// "origin.*", "*.late_3h", "origin.late_*"; not the product "origin.a_3h*2".
bool is_glob(std::string_view text) {
  if (!std::ranges::all_of(text, is_glob_character)) return false;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text.find('*') == std::string_view::npos) return false;
  return text.starts_with('*') || text.ends_with('*') ||
         text.find(".*") != std::string_view::npos || text.find("*.") != std::string_view::npos;
}

constexpr std::size_t kMaxInputs = 10'000;

bool can_be_input(Type type) {
  return data::is_number(type) || type == Type::boolean || type == Type::string;
}

class InputReader {
 public:
  InputReader(const WideRow& row, QuestionScope& scope, bool lists, Diagnostics& errors)
      : row_(row), scope_(scope), lists_(lists), errors_(errors) {}

  void read(const InputText& written) {
    if (is_glob(written.text.text)) return glob(written);
    const SyntaxPtr syntax = parse_expression(written.text, errors_);
    if (!syntax) return;
    if (syntax->kind == Syntax::Kind::name) return name(*syntax, written);
    if (ExprPtr expr = check_syntax(*syntax, scope_, written.text, errors_))
      add({canonical(*expr), expr, expr->type, false}, written);
    scope_.take_features_used();
  }

  std::vector<WideInput> inputs;

 private:
  void glob(const InputText& written) {
    bool matched = false;
    for (int i = row_.question_count; i < static_cast<int>(row_.schema.fields.size()); ++i) {
      const data::Field& field = row_.schema.fields[static_cast<std::size_t>(i)];
      if (!matches_glob(field.name, written.text.text) || row_.hidden.contains(i)) continue;
      matched = true;
      // A feature named before, by itself or by another glob, keeps its first place.
      if (field.type != Type::null && !names_.contains(field.name))
        add({field.name, row_.reading(i), field.type, false}, written, written.text.text);
    }
    if (!matched && !is_of_broken_view(row_, written.text.text))
      errors_.report(Code::unknown_name, written.position,
                     "no view feature matches " + in_quotes(written.text.text), view_advice());
  }

  std::string view_advice() const {
    std::vector<std::string> globs;
    for (const auto& field : row_.schema.fields) {
      const std::size_t dot = field.name.find('.');
      if (dot == std::string::npos) continue;
      const std::string whole = field.name.substr(0, dot) + ".*";
      if (globs.empty() || globs.back() != whole) globs.push_back(whole);
    }
    return globs.empty() ? "no view has features" : "the views have " + listed(globs);
  }

  void name(const Syntax& syntax, const InputText& written) {
    Binding binding = scope_.find(syntax.text);
    if (!binding.found) binding = date_part(syntax.text);
    if (!binding.found) return unknown(syntax, written);
    if (binding.expr) add({syntax.text, binding.expr, binding.expr->type, false}, written);
    scope_.take_features_used();
  }

  // "weekday" is weekday(at) unless something is called so.
  Binding date_part(const std::string& name) {
    const Function* function = find_function(name);
    if (!function || !is_date_part(*function)) return {};
    const ExpressionText call{name + "(at)", {}, false};
    return {true, check_expression(call, scope_, errors_)};
  }

  void unknown(const Syntax& syntax, const InputText& written) {
    std::vector<std::string> candidates;
    if (errors_.suggests()) candidates = scope_.names();
    for (const auto& function : functions())
      if (is_date_part(function)) candidates.emplace_back(function.name);
    const std::string advice = did_you_mean(syntax.text, candidates);
    errors_.report(Code::unknown_name, written.text.place(syntax.begin, syntax.end),
                   "unknown input " + in_quotes(syntax.text),
                   advice.empty()
                       ? "an input is a feature, a column of the question, a view's feature "
                         "such as view.aggregate_3h, a date part, or an expression"
                       : advice);
  }

  void add(Input input, const InputText& written, const std::string& glob = {}) {
    if (names_.size() >= kMaxInputs) return too_many(written);
    if (!names_.insert(input.name).second) {
      errors_.report(Code::duplicate_name, written.position,
                     "input " + in_quotes(input.name) + " stands twice", "name each input once");
      return;
    }
    if (!can_be_input(input.type) && !(lists_ && data::is_list(input.type))) {
      const bool time = input.type == Type::timestamp;
      if (data::is_list(input.type)) return list(input, written);
      errors_.report(
          Code::type_error, written.position,
          "input " + in_quotes(input.name) + " is " + std::string(data::name(input.type)) +
              "; a model reads numbers, booleans and strings",
          time ? "take a part of it, such as hour(" + input.name + ")" : "turn it into a number");
      return;
    }
    input.categorical = input.type == Type::string;
    inputs.push_back({std::move(input), written.position, scope_.take_features_used(), glob});
  }

  void list(const Input& input, const InputText& written) {
    const bool vector = data::is_float(data::element_of(input.type));
    errors_.report(Code::type_error, written.position,
                   "input " + in_quotes(input.name) + " is " + data::name(input.type) +
                       "; a model reads numbers, booleans and strings",
                   "take a part of it, such as element(" + input.name + ", 0)" +
                       (vector ? ", or compare it: dot(" + input.name + ", other)" : ""));
  }

  void too_many(const InputText& written) {
    errors_.report(Code::too_deep, written.position,
                   "more than " + std::to_string(kMaxInputs) + " inputs", "choose fewer");
  }

  const WideRow& row_;
  QuestionScope& scope_;
  const bool lists_;
  Diagnostics& errors_;
  std::set<std::string> names_;
};

}  // namespace

bool matches_glob(std::string_view text, std::string_view glob) {
  std::size_t t = 0, g = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g, ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

std::vector<WideInput> read_inputs(const std::vector<InputText>& texts, const WideRow& row,
                                   QuestionScope& scope, Diagnostics& errors, bool lists) {
  InputReader reader(row, scope, lists, errors);
  for (const auto& text : texts) reader.read(text);
  return std::move(reader.inputs);
}

namespace {

// Fields of the wide row that inputs and keys read, question columns first.
std::set<int> fields_read(const std::vector<WideInput>& inputs, const QuestionKeys& keys,
                          const WideRow& row, const std::vector<View>& views) {
  std::set<int> kept;
  for (const auto& input : inputs)
    for (const int field : columns_read(*input.input.expr)) kept.insert(field);
  for (const auto& [name, key] : keys.derived)
    if (key.expr)
      for (const int field : columns_read(*key.expr)) kept.insert(field);
  for (const int view : keys.views)
    for (const auto& key : views[static_cast<std::size_t>(view)].keys)
      if (const int field = row.index_of(key); field >= 0 && keys.find(key) == nullptr)
        kept.insert(field);
  return kept;
}

void narrow_keys(const QuestionKeys& keys, const std::vector<int>& places, RowSchema& row) {
  for (const auto& [name, key] : keys.derived)
    if (key.expr)
      row.keys.push_back({{name, renumber(key.expr, places), key.expr->type, false}, key.stage});
  std::ranges::stable_sort(row.keys, {}, &RowSchema::Key::stage);
  for (const auto& [view, stage] : keys.stages) row.later.push_back({view, stage});
}

}  // namespace

NarrowRow narrow(const std::vector<WideInput>& inputs, const QuestionKeys& keys, const WideRow& row,
                 const std::vector<View>& views) {
  const std::set<int> kept = fields_read(inputs, keys, row, views);
  NarrowRow result;
  std::vector<int> places(row.schema.fields.size(), -1);
  for (const int field : kept) {  // ascending: question columns first
    places[static_cast<std::size_t>(field)] = static_cast<int>(result.row.schema.fields.size());
    result.row.schema.fields.push_back(row.schema.fields[static_cast<std::size_t>(field)]);
    if (const auto* feature = row.view_feature(field))
      result.row.view_features.push_back(*feature);
    else
      result.row.question_columns.push_back(field);
  }
  for (const auto& wide : inputs) {
    result.inputs.push_back(wide.input);
    result.inputs.back().expr = renumber(wide.input.expr, places);
  }
  narrow_keys(keys, places, result.row);
  for (const auto& [field, rule] : row.refused) {
    if (!kept.contains(field)) continue;
    StaleRule& mine = result.row.stale_rules.emplace_back(rule);
    mine.age_column = places[static_cast<std::size_t>(rule.age_column)];
  }
  return result;
}

}  // namespace coeval::define
