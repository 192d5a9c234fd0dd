#include "replay/question_buckets.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <set>
#include <string>
#include <utility>

#include "base/stable_order.h"
#include "data/hash.h"
#include "data/row_codec.h"
#include "define/event_lookups.h"
#include "kernel/key_bytes.h"
#include "replay/dataset.h"

namespace coeval::replay {

namespace {

using KeyColumns = std::vector<const data::Column*>;

bool read_number(std::string_view text, std::uint32_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size();
}

// What is asked of the events of one source, by one view.
struct Asking {
  EntityFilter keys;
  KeyColumns columns;  // of the events
};

EntityFilter keys_of(const KeyColumns& columns, std::int64_t rows) {
  EntityFilter keys(static_cast<std::size_t>(rows));
  std::string key;
  for (std::int64_t row = 0; row < rows; ++row)
    if (kernel::make_key(key, columns, row)) keys.add(data::xxh3_64(key));
  return keys;
}

// Nothing when the source must stay whole.
std::vector<Asking> asking_of(const define::Project& project, const SourceHistory& history,
                              std::span<const int> views, const data::Batch& questions) {
  std::vector<Asking> all;
  for (const int index : views) {
    const define::View& view = project.views[static_cast<std::size_t>(index)];
    if (view.source != history.source) continue;
    KeyColumns asked, events;
    if (view.keys.empty() || !find_keys(view, questions, asked) ||
        !find_keys(view, history.rows, events))
      return {};
    all.push_back({keys_of(asked, questions.rows), events});
  }
  return all;
}

std::vector<std::int64_t> asked_rows(const SourceHistory& history,
                                     const std::vector<Asking>& asking) {
  std::vector<std::int64_t> kept;
  std::string key;
  for (std::int64_t row = 0; row < history.rows.rows; ++row)
    if (std::ranges::any_of(asking, [&](const Asking& of) {
          return kernel::make_key(key, of.columns, row) && of.keys.may_have(data::xxh3_64(key));
        }))
      kept.push_back(row);
  return kept;
}

SourceHistory only(const SourceHistory& history, const std::vector<std::int64_t>& rows) {
  SourceHistory kept;
  kept.source = history.source;
  kept.rows = data::take(history.rows, rows);
  kept.known_us.reserve(rows.size());
  for (const std::int64_t row : rows)
    kept.known_us.push_back(history.known_us[static_cast<std::size_t>(row)]);
  // Rows keep their order, and so do those that were known at one moment.
  kept.order = stable_order(kept.known_us);
  return kept;
}

}  // namespace

EntityFilter::EntityFilter(std::size_t questions) {
  const std::size_t bits = std::bit_ceil(16 * std::max<std::size_t>(questions, 4));
  mask_ = bits - 1;
  bits_.resize(bits / 64);
}

bool find_keys(const define::View& view, const data::Batch& batch,
               std::vector<const data::Column*>& columns) {
  columns.clear();
  for (const auto& key : view.keys) {
    columns.push_back(batch.find(key));
    if (columns.back() == nullptr) return false;
  }
  return true;
}

Result<QuestionBucket> parse_bucket(std::string_view text) {
  QuestionBucket bucket;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && read_number(text.substr(0, slash), bucket.index) &&
      read_number(text.substr(slash + 1), bucket.count) && bucket.index < bucket.count &&
      bucket.count <= kMostBuckets)
    return bucket;
  return fail(Code::usage,
              "--bucket is 'i/P' with 0 <= i < P <= 1000000, not '" + std::string(text) + "'",
              "--bucket 0/4 to --bucket 3/4 are the four parts of a dataset");
}

std::vector<std::int64_t> rows_of_bucket(QuestionBucket bucket, const define::Project& project,
                                         const define::RowSchema& row,
                                         const data::Batch& questions) {
  std::set<std::string> names;
  for (const int view : views_of(row))
    for (const auto& key : project.views[static_cast<std::size_t>(view)].keys) names.insert(key);
  KeyColumns columns;
  for (const auto& name : names)
    if (const data::Column* column = questions.find(name)) columns.push_back(column);
  std::vector<std::int64_t> kept;
  std::string bytes, part;
  for (std::int64_t at = 0; at < questions.rows; ++at) {
    bytes.clear();
    for (const data::Column* column : columns) {
      const bool there = kernel::make_key(part, std::span(&column, 1), at);
      data::put_u8(bytes, there ? 1 : 0);
      if (there) bytes += part;
    }
    if (data::xxh3_64(bytes) % bucket.count == bucket.index) kept.push_back(at);
  }
  return kept;
}

Past asked_past(const define::Project& project, const Past& past, std::span<const int> views,
                const data::Batch& questions) {
  const auto looked_up =
      define::looked_up_sources(project, std::vector<int>(views.begin(), views.end()));
  Past kept;
  kept.cut_us = past.cut_us;
  kept.as_of_us = past.as_of_us;
  kept.log_end = past.log_end;
  kept.id = past.id;
  for (const SourceHistory& history : past.sources) {
    std::vector<Asking> asking;
    if (history.source >= 0 && !history.amendments &&
        std::ranges::find(looked_up, history.source) == looked_up.end())
      asking = asking_of(project, history, views, questions);
    if (asking.empty())
      kept.sources.push_back(history);
    else
      kept.sources.push_back(only(history, asked_rows(history, asking)));
  }
  return kept;
}

}  // namespace coeval::replay
