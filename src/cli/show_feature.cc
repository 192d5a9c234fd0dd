#include "cli/show_feature.h"

#include <algorithm>
#include <limits>

#include "cli/commands.h"
#include "replay/dataset.h"
#include "replay/feature_history.h"
#include "replay/question_keys.h"

namespace coeval::cli {

namespace {

using replay::Exclusion;

// How many excluded events of one reason are listed without --all; of those that lie outside of the
// window, the nearest few say enough.
constexpr std::size_t kListed = 20, kNearest = 5;

/// The answer to a question about a feature, and what it is made of.
struct FeatureAnswer {
  replay::Past past;
  replay::FeatureHistory history;
  replay::Arithmetic arithmetic;
  data::Value kernel;  ///< what the kernel says
  replay::Reading reading;
  data::Type type = data::Type::null;
  bool agrees() const { return replay::same_bits(arithmetic.value, kernel); }
};

Result<replay::Past> load_past(Context& context, std::span<const int> views) {
  replay::PastOptions options;
  options.sources = replay::sources_of(*context.project, views);
  COEVAL_ASSIGN(const auto log, context.open_log_if_any());
  options.log = log.get();
  if (log) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*log));
    if (cut) options.cut_us = cut->cut_us;
  }
  return replay::load_past(*context.project, context.formats, options);
}

Result<FeatureAnswer> answer(Context& context) {
  const auto& project = *context.project;
  if (context.in.moment.empty())
    return fail(Code::usage, "the question's time is missing",
                "--at 2001-06-01T12:00:00 gives one");
  COEVAL_ASSIGN(const auto feature, replay::find_feature(project, context.in.subject));
  const define::View& view = replay::view_of(project, feature);
  replay::Visibility seen;
  COEVAL_ASSIGN(seen.at_us, parse_time(context.in.moment));
  COEVAL_ASSIGN(auto behind, replay::question_behind(project, feature, context.in.keys));
  if (!behind) {
    COEVAL_ASSIGN(data::Batch own, replay::key_question(project, view, context.in.keys));
    behind = replay::KeyedQuestion{{}, std::move(own)};
  }
  std::vector<int> views = replay::views_of(behind->row);
  views.push_back(feature.view);
  FeatureAnswer out;
  COEVAL_ASSIGN(out.past, load_past(context, views));
  COEVAL_ASSIGN(const auto asked,
                replay::with_keys(project, out.past, behind->row, behind->columns, seen));
  const data::Batch& question = asked.columns;
  COEVAL_ASSIGN(out.history, replay::feature_history(project, out.past, feature, question, seen));
  out.history.key = replay::key_path(view, out.history.key, asked);
  COEVAL_ASSIGN(out.arithmetic,
                replay::compute(replay::aggregate_of(project, feature), out.history.values));
  COEVAL_ASSIGN(out.kernel, replay::ask_kernel(context.project, out.past, feature, question, seen));
  out.type = view.feature_type(static_cast<std::size_t>(feature.feature));
  COEVAL_ASSIGN(out.reading,
                replay::read_as(project, out.past, feature, question, seen, out.kernel));
  return out;
}

bool is_outside(Exclusion reason) {
  return reason == Exclusion::before_begin || reason == Exclusion::not_before_end;
}

// Which rows of a reason are listed, in order of time.
std::vector<std::int64_t> rows_to_list(const std::vector<std::int64_t>& rows, Exclusion reason,
                                       bool everything) {
  const std::size_t limit =
      everything ? rows.size() : std::min(rows.size(), is_outside(reason) ? kNearest : kListed);
  const auto count = static_cast<std::ptrdiff_t>(limit);
  // Those behind the end begin nearest to it; all others end nearest to it.
  if (reason == Exclusion::not_before_end) return {rows.begin(), rows.begin() + count};
  return {rows.end() - count, rows.end()};
}

std::string bounds_text(const replay::WindowBounds& bounds) {
  const bool open = bounds.from_us == std::numeric_limits<std::int64_t>::min();
  return "[" + (open ? std::string("the beginning") : format_time(bounds.from_us)) + ", " +
         format_time(bounds.to_us) + ")";
}

/// Prints one answer, as text or as JSON.
class Printer {
 public:
  Printer(Context& context, const FeatureAnswer& answer)
      : context_(context),
        answer_(answer),
        history_(answer.history),
        view_(replay::view_of(*context.project, history_.feature)),
        rows_(answer.past.sources[static_cast<std::size_t>(view_.source)]) {}

  void text() {
    auto& out = context_.terminal;
    out.print(history_.name + " of " + history_.key + " at " + format_time(history_.seen.at_us));
    out.print("window " + bounds_text(history_.bounds) + " by event time; known before " +
              format_time(history_.seen.at_us));
    out.print("inside: " + std::to_string(history_.inside.size()));
    for (const std::int64_t row : history_.inside) out.print("  " + line(row));
    for (std::size_t i = 0; i < replay::kExclusions; ++i) text(static_cast<Exclusion>(i));
    if (rows_.conservation.quarantined > 0)
      out.print("in quarantine, so no events: " + std::to_string(rows_.conservation.quarantined) +
                " rows of " + rows_.path + ", of any key");
    out.print("arithmetic:");
    for (const auto& step : answer_.arithmetic.steps) out.print("  " + step);
    out.print("by the scan:   " + value(answer_.arithmetic.value));
    out.print("by the kernel: " + value(answer_.kernel));
    if (!answer_.reading.why.empty())
      out.print("read as:       " + value(answer_.reading.value) + "  (" + answer_.reading.why +
                ")");
    out.print(answer_.agrees() ? "both agree bit for bit" : "DIFFERS");
  }

  data::Json json() const {
    data::Json json{data::Json::Object{}};
    json.set("feature", history_.name);
    json.set("key", history_.key);
    json.set("at", format_time(history_.seen.at_us));
    const bool open = history_.bounds.from_us == std::numeric_limits<std::int64_t>::min();
    json.set("from", open ? data::Json{} : data::Json{format_time(history_.bounds.from_us)});
    json.set("to", format_time(history_.bounds.to_us));
    json.set("inside_count", history_.inside.size());
    json.set("inside", events(history_.inside));
    data::Json excluded{data::Json::Array{}};
    for (std::size_t i = 0; i < replay::kExclusions; ++i) {
      const auto reason = static_cast<Exclusion>(i);
      if (history_.excluded[i].empty()) continue;
      data::Json one{data::Json::Object{}};
      one.set("reason", std::string(replay::describe(reason)));
      one.set("count", history_.excluded[i].size());
      one.set("events", events(rows_to_list(history_.excluded[i], reason, context_.in.everything)));
      excluded.push(std::move(one));
    }
    json.set("excluded", std::move(excluded));
    data::Json steps{data::Json::Array{}};
    for (const auto& step : answer_.arithmetic.steps) steps.push(step);
    json.set("arithmetic", std::move(steps));
    json.set("value", data::to_json(answer_.arithmetic.value, answer_.type));
    json.set("kernel_value", data::to_json(answer_.kernel, answer_.type));
    json.set("read_as", data::to_json(answer_.reading.value, answer_.type));
    if (!answer_.reading.why.empty()) json.set("read_as_why", answer_.reading.why);
    json.set("agrees", answer_.agrees());
    return json;
  }

 private:
  std::int64_t event_time(std::int64_t row) const {
    const auto& source = context_.project->sources[static_cast<std::size_t>(view_.source)];
    return rows_.rows.columns[static_cast<std::size_t>(source.time_index)].integer(row);
  }
  std::string argument(std::int64_t row) const {
    return replay::argument_text(*context_.project, answer_.past, history_.feature, row);
  }

  std::string fate(std::int64_t row) const { return replay::fate_text(rows_, row, history_.seen); }

  std::string line(std::int64_t row) const {
    const std::string value_text = argument(row);
    return replay::place_of(rows_, row) + "  at " + format_time(event_time(row)) + "  known " +
           format_time(rows_.known_us[static_cast<std::size_t>(row)]) +
           (value_text.empty() ? "" : "  value " + value_text) +
           (fate(row).empty() ? "" : "  " + fate(row));
  }

  void text(Exclusion reason) {
    const auto& rows = history_.excluded[static_cast<std::size_t>(reason)];
    if (rows.empty()) return;
    const auto listed = rows_to_list(rows, reason, context_.in.everything);
    context_.terminal.print(
        "excluded, " + std::string(replay::describe(reason)) + ": " + std::to_string(rows.size()) +
        (listed.size() < rows.size()
             ? ", of which " + std::to_string(listed.size()) + " (--all lists every one)"
             : ""));
    for (const std::int64_t row : listed) context_.terminal.print("  " + line(row));
  }

  data::Json events(const std::vector<std::int64_t>& rows) const {
    data::Json list{data::Json::Array{}};
    for (const std::int64_t row : rows) {
      data::Json one{data::Json::Object{}};
      one.set("place", replay::place_of(rows_, row));
      one.set("event_time", format_time(event_time(row)));
      one.set("known", format_time(rows_.known_us[static_cast<std::size_t>(row)]));
      if (replay::aggregate_of(*context_.project, history_.feature).argument)
        one.set("value", argument(row));
      if (const std::string what = fate(row); !what.empty()) one.set("fate", what);
      list.push(std::move(one));
    }
    return list;
  }

  std::string value(const data::Value& value) const { return data::to_text(value, answer_.type); }

  Context& context_;
  const FeatureAnswer& answer_;
  const replay::FeatureHistory& history_;
  const define::View& view_;
  const replay::SourceHistory& rows_;
};

}  // namespace

int show_feature(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto found = answer(context);
  if (!found) return context.report(found.error());
  Printer printer(context, *found);
  if (context.terminal.json())
    context.terminal.print_json(printer.json());
  else
    printer.text();
  return found->agrees() ? 0 : 1;
}

}  // namespace coeval::cli
