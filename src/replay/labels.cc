#include "replay/labels.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "kernel/evaluate.h"
#include "replay/dataset.h"
#include "replay/versions.h"

namespace coeval::replay {

namespace {

constexpr std::int64_t kNever = Labels::kNever;

// When something about each row was known: by the definition, or when a live row arrived.
std::vector<std::int64_t> known_by(const define::Expr& known, const SourceHistory& history) {
  kernel::EvaluationCounts counts;
  const data::Column declared = kernel::evaluate(known, history.rows, {}, counts);
  std::vector<std::int64_t> out(history.known_us.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (history.place_in_file(row) < 0)
      out[i] = history.known_us[i];
    else
      out[i] = declared.is_null(row) ? kNever : declared.integer(row);
  }
  return out;
}

// A live row arrives when it does, but its label still has to mature.
void mature(const define::Expr& matures, const SourceHistory& history,
            std::vector<std::int64_t>& known_us) {
  kernel::EvaluationCounts counts;
  const data::Column times = kernel::evaluate(matures, history.rows, {}, counts);
  for (std::size_t i = 0; i < known_us.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    known_us[i] = times.is_null(row) ? kNever : std::max(known_us[i], times.integer(row));
  }
}

// Appends the label of a row, which has one.
void append(data::ColumnBuilder& labels, const data::Column& label, std::int64_t row) {
  if (label.type() == data::Type::boolean)
    labels.append_boolean(label.bit(row));
  else if (label.type() == data::Type::string)
    labels.append_string(label.string(row));
  else if (data::is_integer(label.type()))
    labels.append_integer(label.integer(row));
  else
    labels.append_real(label.real(row));
}

// What is known at or after the end of `past` does not exist for it.
Labels until(const Past& past, const data::Column& label, std::vector<std::int64_t> known_us) {
  data::ColumnBuilder labels(label.type());
  labels.reserve(label.size());
  for (std::int64_t row = 0; row < label.size(); ++row) {
    std::int64_t& known = known_us[static_cast<std::size_t>(row)];
    const bool undecided = label.is_null(row) || (past.as_of_us && known >= *past.as_of_us);
    if (undecided) known = kNever;
    known == kNever ? labels.append_null() : append(labels, label, row);
  }
  return {labels.finish(), std::move(known_us)};
}

// A row that was replaced has the label of what stands for it now, known when that is; a row that
// was deleted has none. (semantics: T7)
void follow_corrections(const SourceHistory& history, data::Column& label,
                        std::vector<std::int64_t>& known_us) {
  if (!history.amendments) return;
  const std::vector<std::int64_t> own = known_us;
  data::ColumnBuilder labels(label.type());
  for (std::int64_t row = 0; row < label.size(); ++row) {
    const std::int64_t newest = newest_version(history, row);
    std::int64_t& known = known_us[static_cast<std::size_t>(row)];
    if (newest < 0 || label.is_null(newest)) {
      labels.append_null();
      known = kNever;
      continue;
    }
    append(labels, label, newest);
    const auto at = static_cast<std::size_t>(newest);
    if (newest != row) known = std::max(own[at], history.known_us[at]);
  }
  label = labels.finish();
}

Labels own_labels(const define::Model& model, const Past& past) {
  const SourceHistory& history = past.sources[static_cast<std::size_t>(model.source)];
  kernel::EvaluationCounts counts;
  data::Column label = kernel::evaluate(*model.label, history.rows, {}, counts);
  std::vector<std::int64_t> known = known_by(*model.label_known, history);
  if (model.label_matures) mature(*model.label_matures, history, known);
  follow_corrections(history, label, known);
  return until(past, label, std::move(known));
}

// One event that may be a label, or was one until it was taken back.
struct Event {
  std::int64_t time_us, known_us, row;
  bool counts;  // else known_us is when it stopped
};

// The values of a row's keys as bytes, one spelling each; false where one is null.
bool key_of(const data::Batch& rows, std::span<const int> columns, std::int64_t row,
            std::string& key) {
  key.clear();
  for (const int index : columns) {
    const data::Column& column = rows.columns[static_cast<std::size_t>(index)];
    if (column.is_null(row)) return false;
    if (column.type() == data::Type::string) {
      const std::string_view text = column.string(row);
      key += std::to_string(text.size());
      key += ':';
      key += text;
    } else {
      key += std::to_string(column.type() == data::Type::boolean ? column.bit(row)
                                                                 : column.integer(row));
      key += ';';
    }
  }
  return true;
}

class EventLabels {
 public:
  EventLabels(const define::Model& model, const Past& past)
      : model_(model),
        rule_(*model.label_events),
        past_(past),
        rows_(past.sources[static_cast<std::size_t>(model.source)]),
        events_(past.sources[static_cast<std::size_t>(rule_.source)]) {}

  Labels find(std::int64_t time_index) {
    gather(time_index);
    const std::int64_t end = end_of_events();
    const auto at =
        rows_.rows.columns[static_cast<std::size_t>(model_.at_index)].values<std::int64_t>();
    std::vector<std::int64_t> known = known_by(*rule_.keys_known, rows_);
    data::ColumnBuilder labels(data::Type::boolean);
    for (std::int64_t row = 0; row < rows_.rows.rows; ++row) {
      std::int64_t& known_us = known[static_cast<std::size_t>(row)];
      const std::int64_t begin = at[static_cast<std::size_t>(row)];
      std::int64_t matured = 0;
      if (__builtin_add_overflow(begin, rule_.within_us, &matured)) matured = kNever;
      const bool keyed = key_of(rows_.rows, rule_.question_columns, row, key_);
      const auto [event, withdrawn] =
          keyed ? first_known(begin, matured, newest_version(rows_, row)) : Found{};
      const bool decided = keyed && (event != kNever || matured <= end);
      if (decided)
        labels.append_boolean(event != kNever);
      else
        labels.append_null();
      known_us = std::max(known_us, event != kNever ? event : std::max(matured, withdrawn));
    }
    return until(past_, labels.finish(), std::move(known));
  }

 private:
  void gather(std::int64_t time_index) {
    kernel::EvaluationCounts counts;
    const data::Column holds = kernel::evaluate(*model_.label, events_.rows, {}, counts);
    const auto times =
        events_.rows.columns[static_cast<std::size_t>(time_index)].values<std::int64_t>();
    const std::vector<std::int64_t> known = known_by(*model_.label_known, events_);
    for (std::int64_t row = 0; row < events_.rows.rows; ++row) {
      if (holds.is_null(row) || !holds.bit(row)) continue;
      if (!key_of(events_.rows, rule_.event_columns, row, key_)) continue;
      const auto place = static_cast<std::size_t>(row);
      const Fate fate = fate_of(row);
      if (fate.ever_counted)
        by_key_[key_].push_back(
            {times[place], fate.until_us.value_or(known[place]), row, !fate.until_us.has_value()});
    }
    for (auto& [key, events] : by_key_) std::ranges::sort(events, {}, &Event::time_us);
  }

  // Whether a row was an event at all, and when it was taken back. (semantics: T7)
  struct Fate {
    bool ever_counted = true;
    std::optional<std::int64_t> until_us;
  };
  Fate fate_of(std::int64_t row) const {
    if (!events_.amendments) return {};
    const auto at = static_cast<std::size_t>(row);
    if (!kernel::counts(events_.amendments->roles[at])) return {false, {}};
    const std::int64_t by = events_.taken_back_by[at];
    if (by < 0) return {};
    return {true, events_.known_us[static_cast<std::size_t>(by)]};
  }

  // Of the events in [begin, end) of the current key: when the first of those that count was known,
  // or kNever; and when the last was taken back.
  struct Found {
    std::int64_t known_us = kNever;
    std::int64_t withdrawn_us = std::numeric_limits<std::int64_t>::min();
  };
  Found first_known(std::int64_t begin, std::int64_t end, std::int64_t own_row) const {
    Found first;
    const auto found = by_key_.find(key_);
    if (found == by_key_.end()) return first;
    const auto& events = found->second;
    const bool own_source = rule_.source == model_.source;
    for (auto event = std::ranges::lower_bound(events, begin, {}, &Event::time_us);
         event != events.end() && event->time_us < end; ++event) {
      if (own_source && event->row == own_row) continue;
      if (event->counts)
        first.known_us = std::min(first.known_us, event->known_us);
      else
        first.withdrawn_us = std::max(first.withdrawn_us, event->known_us);
    }
    return first;
  }

  // Up to where the absence of an event means something.
  std::int64_t end_of_events() const {
    std::int64_t end = std::numeric_limits<std::int64_t>::min();
    if (events_.after_cut > 0 && events_.cut_us) end = *events_.cut_us;
    for (const std::int64_t known : events_.known_us) end = std::max(end, known);
    return end;
  }

  const define::Model& model_;
  const define::LabelEvents& rule_;
  const Past& past_;
  const SourceHistory& rows_;
  const SourceHistory& events_;
  std::unordered_map<std::string, std::vector<Event>> by_key_;
  std::string key_;
};

}  // namespace

Labels labels_of(const define::Project& project, const define::Model& model, const Past& past) {
  if (!model.label_events) return own_labels(model, past);
  const auto& source = project.sources[static_cast<std::size_t>(model.label_events->source)];
  return EventLabels(model, past).find(source.time_index);
}

std::vector<int> sources_of(const define::Project& project, const define::Model& model) {
  std::vector<int> sources = sources_of(project, views_of(model.row));
  sources.push_back(model.source);
  if (model.label_events) sources.push_back(model.label_events->source);
  std::ranges::sort(sources);
  const auto again = std::ranges::unique(sources);
  sources.erase(again.begin(), again.end());
  return sources;
}

}  // namespace coeval::replay
