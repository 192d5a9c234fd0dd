#include "training/model_card_words.h"

#include <algorithm>
#include <set>

#include "define/document.h"
#include "define/known_order.h"

namespace coeval::training {
namespace {

constexpr std::size_t kMostComments = 40;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

bool is_comment(std::string_view line) { return trimmed(line).starts_with('#'); }

std::string comment_text(std::string_view line) {
  line = trimmed(line);
  line.remove_prefix(std::min(line.find_first_not_of('#'), line.size()));
  return std::string(trimmed(line));
}

/// The model's table in the definition.
std::optional<define::TomlEntry> model_table(const std::string& definition,
                                             const std::string& model) {
  define::Diagnostics ignored;
  const auto document = define::parse_document(definition, "coeval.toml", ignored);
  if (!document) return std::nullopt;
  const define::TomlEntry* models = document->find("model");
  const define::TomlEntry* table = models == nullptr ? nullptr : models->value.find(model);
  if (table == nullptr) return std::nullopt;
  return *table;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string aggregate_text(const define::Aggregate& aggregate) {
  std::string out = std::string(define::name(aggregate.kind)) + "(";
  if (aggregate.argument) out += plain_text(*aggregate.argument);
  if (aggregate.divisor) out += ", " + plain_text(*aggregate.divisor);
  out += ")";
  if (aggregate.where) out += " where " + plain_text(*aggregate.where);
  return out;
}

std::string window_text(const define::Window& window) {
  if (window.period != define::Period::none) return "since the beginning of " + window.text;
  if (window.us == define::kAllTime) return "of all time before";
  std::string out = "in the " + format_duration(window.us) + " before";
  if (window.offset_us > 0) out += ", ending " + format_duration(window.offset_us) + " earlier";
  return out;
}

std::string feature_text(const define::Project& project, const define::ViewFeature& feature) {
  const auto& view = project.views[static_cast<std::size_t>(feature.view)];
  const auto index = static_cast<std::size_t>(feature.feature);
  const std::string keys = view.keys.empty() ? "" : " by " + listed(view.keys);
  const std::string& source = project.sources[static_cast<std::size_t>(view.source)].name;
  if (view.lookup) return "the newest row of " + source + keys;
  return aggregate_text(view.aggregates[index / view.windows.size()]) + " of " + source + keys +
         ", " + window_text(view.windows[index % view.windows.size()]);
}

/// What an input reads of its row.
struct Reads {
  std::vector<int> question;  ///< columns of the question's source
  std::vector<define::ViewFeature> features;
};

Reads reads_of(const define::Model& model, const define::Input& input) {
  Reads reads;
  if (!input.expr) return reads;
  const std::size_t own = model.row.question_columns.size();
  for (const int column : define::columns_read(*input.expr)) {
    const auto at = static_cast<std::size_t>(column);
    if (at < own)
      reads.question.push_back(model.row.question_columns[at]);
    else if (at - own < model.row.view_features.size())
      reads.features.push_back(model.row.view_features[at - own]);
  }
  return reads;
}

}  // namespace

std::vector<std::string> comments_of(const std::string& definition, const std::string& model) {
  const auto table = model_table(definition, model);
  if (!table) return {};
  const auto lines = lines_of(definition);
  const auto header = static_cast<std::size_t>(std::max(table->position.line, 1)) - 1;
  if (header >= lines.size()) return {};
  std::size_t from = header, to = header + 1;
  while (from > 0 && header - from < kMostComments && is_comment(lines[from - 1])) --from;
  while (to < lines.size() && to - from <= kMostComments && is_comment(lines[to])) ++to;
  std::vector<std::string> comments;
  for (std::size_t line = from; line < to; ++line)
    if (line != header && comments.size() < kMostComments)
      comments.push_back(comment_text(lines[line]));
  return comments;
}

std::string label_text(const std::string& definition, const define::Model& model) {
  const auto table = model_table(definition, model.name);
  const define::TomlEntry* label = table ? table->value.find("label") : nullptr;
  if (label != nullptr && label->value.kind == define::TomlValue::Kind::string)
    return label->value.text;
  return model.label ? plain_text(*model.label) : "";
}

std::string plain_text(const define::Expr& expr) {
  std::string text = define::canonical(expr);
  if (!text.starts_with('(') || !text.ends_with(')')) return text;
  // The first parenthesis must be closed by the last one; quotes hide those inside texts.
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\'') in_text = !in_text;
    if (in_text) continue;
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0) return text;
  }
  return text.substr(1, text.size() - 2);
}

std::string made_of(const define::Project& project, const define::Model& model,
                    const define::Input& input) {
  if (!input.expr) return "";
  const Reads reads = reads_of(model, input);
  if (input.expr->op == define::Op::column)
    return reads.features.empty() ? "of the question" : feature_text(project, reads.features[0]);
  std::string out = plain_text(*input.expr);
  for (const auto& feature : reads.features) {
    const auto& view = project.views[static_cast<std::size_t>(feature.view)];
    out += "; " + view.feature_name(static_cast<std::size_t>(feature.feature)) + ": " +
           feature_text(project, feature);
  }
  return out;
}

std::string known_text(const define::Project& project, const define::Model& model,
                       const define::Input& input) {
  const Reads reads = reads_of(model, input);
  const auto& source = project.sources[static_cast<std::size_t>(model.source)];
  std::vector<define::ExprPtr> times;
  for (const int column : reads.question) {
    const define::ExprPtr& own = source.columns[static_cast<std::size_t>(column)].known;
    times.push_back(own ? own : source.known);
  }
  std::string out = times.empty() ? "with the question"
                                  : plain_text(*define::latest(times, define::KnownOrder(source)));
  std::set<int> sources;
  for (const auto& feature : reads.features)
    sources.insert(project.views[static_cast<std::size_t>(feature.view)].source);
  if (times.empty() && !sources.empty()) out.clear();
  for (const int index : sources) {
    const auto& events = project.sources[static_cast<std::size_t>(index)];
    out += (out.empty() ? "" : "; ") +
           ("events of " + events.name + " from " + plain_text(*events.known) + " on");
  }
  return out;
}

bool is_personal(const define::Project& project, const define::Model& model,
                 std::string_view slice) {
  const auto& columns = project.sources[static_cast<std::size_t>(model.source)].columns;
  for (const auto& each : model.training.slices) {
    if (each.name != slice || !each.expr) continue;
    return std::ranges::any_of(define::columns_read(*each.expr), [&](int column) {
      return columns[static_cast<std::size_t>(column)].pii;
    });
  }
  // A slice that the definition does not know could be of anything.
  return true;
}

}  // namespace coeval::training
