#include <algorithm>

#include "define/inputs.h"
#include "define/project.h"

namespace coeval::define {

namespace {

// Every column of every source by name: what a question from outside may bring.
Result<data::Schema> columns_by_name(const Project& project) {
  data::Schema all;
  for (const auto& source : project.sources) {
    for (const auto& field : source.schema.fields) {
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

// Commas inside parentheses or quotes do not separate.
std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      parts.emplace_back();
      continue;
    }
    if (c != ' ' || !parts.back().empty()) parts.back() += c;
  }
  for (auto& part : parts)
    while (part.ends_with(' ')) part.pop_back();
  return parts;
}

FeatureTexts texts_of(const std::vector<Feature>& features) {
  FeatureTexts texts;
  for (const auto& feature : features)
    texts.emplace(feature.name, ExpressionText{feature.text, feature.position, false});
  return texts;
}

// Keys of the views that are read must have one type everywhere.
Status check_key_types(const Project& project, const data::Schema& columns,
                       const std::vector<int>& views) {
  for (const int view : views)
    for (const auto& key : project.views[static_cast<std::size_t>(view)].keys)
      if (columns.fields[static_cast<std::size_t>(columns.index_of(key))].type == data::Type::null)
        return fail(Code::type_error, "sources declare different types for column '" + key + "'",
                    "declare one type");
  return {};
}

}  // namespace

Result<FeatureSet> feature_set(const Project& project, const std::string& name) {
  if (const Model* model = project.find_model(name)) {
    FeatureSet set{model->row, model->inputs};
    set.row.question_columns.clear();
    return set;
  }
  COEVAL_ASSIGN(const data::Schema columns, columns_by_name(project));
  const WideRow row = make_wide_row(columns, project.views);
  const FeatureTexts features = texts_of(project.features);
  Diagnostics errors;
  QuestionScope scope(row, -1, features, "the question", errors);
  std::vector<InputText> texts;
  const bool whole_view = project.view_index(name) >= 0;
  for (const auto& part : split_list(whole_view ? name + ".*" : name)) {
    const SourcePosition place{"feature set", 1, 1, 1};
    texts.push_back({ExpressionText{part, place, true}, place});
  }
  const std::vector<WideInput> inputs = read_inputs(texts, row, scope, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors.take().front()));
  COEVAL_TRY(check_key_types(project, columns, views_read(inputs, row)));
  NarrowRow narrowed = narrow(inputs, row, project.views);
  narrowed.row.question_columns.clear();
  return FeatureSet{std::move(narrowed.row), std::move(narrowed.inputs)};
}

}  // namespace coeval::define
