#include <algorithm>

#include "define/inputs.h"
#include "define/project.h"
#include "define/question_keys.h"

namespace coeval::define {

namespace {

// Whether a key is computed by [keys] for questions that have the columns `own`.
bool is_declared_key(const Project& project, const std::string& name,
                     const std::vector<std::string>& own) {
  return std::ranges::count(project.keys, name, &Feature::name) > 0 &&
         std::ranges::count(own, name) == 0;
}

// Every column of every source by name: what a question from outside may bring.
Result<data::Schema> columns_by_name(const Project& project, const std::vector<std::string>& own) {
  data::Schema all;
  for (const auto& source : project.sources) {
    for (const auto& field : source.schema.fields) {
      if (is_declared_key(project, field.name, own)) continue;
      const int known = all.index_of(field.name);
      if (known < 0) {
        all.fields.push_back(field);
        continue;
      }
      data::Field& same = all.fields[static_cast<std::size_t>(known)];
      if (same.type != field.type)
        same.type = data::Type::null;  // ambiguous: an error where it is read
      same.nullable |= field.nullable;
    }
  }
  return all;
}

// A part of a list, without the blanks around it, and where it begins.
struct ListPart {
  std::string text;
  std::size_t begin = 0;
};

// Commas inside parentheses, brackets or quotes do not separate.
std::vector<ListPart> split_list(const std::string& text) {
  std::vector<ListPart> parts(1);
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[') {
      ++depth;
    } else if (c == ')' || c == ']') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      parts.emplace_back();
      continue;
    }
    ListPart& part = parts.back();
    if (part.text.empty()) part.begin = i;
    if (c != ' ' || !part.text.empty()) part.text += c;
  }
  for (auto& part : parts)
    while (part.text.ends_with(' ')) part.text.pop_back();
  return parts;
}

FeatureTexts texts_of(const std::vector<Feature>& features) {
  FeatureTexts texts;
  for (const auto& feature : features)
    texts.emplace(feature.name, ExpressionText{feature.text, feature.position, false});
  return texts;
}

std::string type_name(data::Type type) { return std::string(data::name(type)); }

// Keys of the views that are read must have one type everywhere.
Status check_key_types(const Project& project, const data::Schema& columns,
                       const QuestionKeys& keys) {
  for (const int index : keys.views) {
    const View& view = project.views[static_cast<std::size_t>(index)];
    const data::Schema& row = project.sources[static_cast<std::size_t>(view.source)].event_schema();
    for (std::size_t k = 0; k < view.keys.size(); ++k) {
      const std::string& name = view.keys[k];
      const DerivedKey* derived = keys.find(name);
      const data::Type wanted = row.fields[static_cast<std::size_t>(view.key_columns[k])].type;
      const int own = columns.index_of(name);
      if (derived != nullptr && derived->expr->type != wanted)
        return fail(Code::type_error,
                    "key '" + name + "' of view '" + view.name + "' is " + type_name(wanted) +
                        ", but " + type_name(derived->expr->type) + " by [keys]",
                    "write cast(… as " + type_name(wanted) + ")");
      if (derived == nullptr && own >= 0 &&
          columns.fields[static_cast<std::size_t>(own)].type == data::Type::null)
        return fail(Code::type_error, "sources declare different types for column '" + name + "'",
                    "declare one type");
    }
  }
  return {};
}

// NAME may have been meant for a model or a view, which an input's advice does not think of.
Error advised(Error error, const Project& project, const std::string& name) {
  if (error.code != Code::unknown_name || error.advice.starts_with("did you mean")) return error;
  std::vector<std::string> models, views;
  for (const auto& model : project.models) models.push_back(model.name);
  for (const auto& view : project.views) views.push_back(view.name);
  std::vector<std::string> sets = models;
  sets.insert(sets.end(), views.begin(), views.end());
  error.advice = did_you_mean(name, sets);
  if (error.advice.empty())
    error.advice = "name a model (" + listed(models) + "), a view (" + listed(views) +
                   "), or inputs as a model has them, with commas between";
  return error;
}

}  // namespace

Result<FeatureSet> feature_set(const Project& project, const std::string& name,
                               const std::string& origin, const std::vector<std::string>& own) {
  if (const Model* model = project.find_model(name)) {
    FeatureSet set{model->row, model->inputs};
    set.row.question_columns.clear();
    return set;
  }
  COEVAL_ASSIGN(const data::Schema columns, columns_by_name(project, own));
  const WideRow row = make_wide_row(columns, project.views);
  const FeatureTexts features = texts_of(project.features);
  Diagnostics errors;
  const FeatureTexts declared = texts_of(project.keys);
  QuestionScope scope(row, -1, features, declared, project, "the question", errors);
  std::vector<InputText> texts;
  const bool whole_view = project.view_index(name) >= 0;
  const ExpressionText whole{name, {origin, 1, 1, 1}, true};
  for (const auto& part : split_list(whole_view ? name + ".*" : name)) {
    const SourcePosition place = whole.place(part.begin, part.begin + part.text.size());
    texts.push_back({ExpressionText{part.text, place, true}, place});
  }
  const std::vector<WideInput> inputs = read_inputs(texts, row, scope, errors, true);
  const QuestionKeys keys = question_keys(inputs, row, scope, project.views, errors);
  if (!errors.empty()) return std::unexpected(advised(errors.take().front(), project, name));
  COEVAL_TRY(check_key_types(project, columns, keys));
  NarrowRow narrowed = narrow(inputs, keys, row, project.views);
  narrowed.row.question_columns.clear();
  return FeatureSet{std::move(narrowed.row), std::move(narrowed.inputs)};
}

}  // namespace coeval::define
