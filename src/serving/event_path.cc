#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "base/check.h"
#include "data/row_codec.h"
#include "define/diagnostics.h"
#include "kernel/evaluate.h"
#include "serving/engine_parts.h"
#include "serving/event_rows.h"
#include "stores/record_names.h"
#include "stores/request_record.h"

namespace coeval::serving {
namespace {

constexpr std::size_t kErrorsListed = 100;

Error unknown_source(const define::Project& project, std::string_view name) {
  std::vector<std::string> names;
  for (const define::Source& source : project.sources) names.push_back(source.name);
  std::string advice = define::did_you_mean(name, names);
  if (advice.empty()) advice = "the sources are " + define::listed(names);
  return {Code::not_found, "no source " + define::in_quotes(name), std::move(advice), {}, {}};
}

/// Moves typed rows to the bad ones: those for which `broken` says what is wrong.
void set_aside(EventRows& rows, std::map<std::size_t, BadEventRow> broken) {
  if (broken.empty()) return;
  std::vector<std::int64_t> kept, places;
  std::vector<std::string_view> raw;
  for (std::size_t i = 0; i < rows.places.size(); ++i) {
    if (broken.contains(i)) continue;
    kept.push_back(static_cast<std::int64_t>(i));
    places.push_back(rows.places[i]);
    raw.push_back(rows.raw[i]);
  }
  for (auto& [i, bad] : broken) {
    bad.row = rows.places[i];
    bad.raw = rows.raw[i];
    rows.bad.push_back(std::move(bad));
  }
  rows.typed = data::take(rows.typed, kept);
  rows.places = std::move(places);
  rows.raw = std::move(raw);
  std::ranges::sort(rows.bad, {}, &BadEventRow::row);
}

/// What the rules found of the rows, by row.
std::map<std::size_t, BadEventRow> rows_that_break_rules(const quality::RowChecks& checks,
                                                         const EventRows& rows,
                                                         const quality::RowFindings& found,
                                                         const quality::RowContext& context) {
  std::map<std::size_t, BadEventRow> broken;
  for (const quality::RowVerdict& verdict : found.bad) {
    quality::RowFaults faults = quality::faults_of(checks, rows.typed, found, verdict, context);
    broken[static_cast<std::size_t>(verdict.row)] = {
        0, {}, std::move(faults.rules), std::move(faults.reason), std::move(faults.observed)};
  }
  return broken;
}

std::string hash_text(data::Hash128 hash) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return text;
}

quality::QuarantinedRow quarantined(const define::Source& source, const BadEventRow& bad,
                                    std::optional<std::int64_t> arrival_us) {
  quality::QuarantinedRow row{source.name, "http", bad.row, bad.raw, bad.rules, bad.reason};
  row.observed = bad.observed;
  row.schema = stores::tag_text(stores::schema_tag(source.schema));
  row.time_us = arrival_us;
  return row;
}

data::Json bad_row_json(const BadEventRow& bad) {
  data::Json json;
  json.set("row", bad.row);
  data::Json::Array rules;
  for (const std::string& rule : bad.rules) rules.emplace_back(rule);
  json.set("rules", std::move(rules));
  json.set("reason", bad.reason);
  return json;
}

Answer events_answer(const EventRows& rows, std::optional<Position> last,
                     std::optional<std::int64_t> duplicates) {
  data::Json json;
  const bool refused = rows.single && !rows.bad.empty();
  if (refused) {
    json.set("error", rows.bad.front().reason);
    json.set("code", code_name(Code::bad_row));
    json.set("advice", "mend the row and send it again; this one is kept in quarantine");
  }
  json.set("accepted", static_cast<std::int64_t>(rows.places.size()) - duplicates.value_or(0));
  if (duplicates) json.set("duplicates", *duplicates);
  json.set("quarantined", rows.bad.size());
  data::Json::Array errors;
  for (std::size_t i = 0; i < std::min(rows.bad.size(), kErrorsListed); ++i) {
    errors.push_back(bad_row_json(rows.bad[i]));
  }
  json.set("errors", std::move(errors));
  json.set("last_position",
           last ? data::Json(static_cast<std::int64_t>(last->value)) : data::Json());
  return {refused ? info(Code::bad_row).http_status : 200, json.dump()};
}

std::vector<std::int64_t> nulls_of(const data::Column& column) {
  std::vector<std::int64_t> nulls;
  for (std::int64_t row = 0; column.has_nulls() && row < column.size(); ++row)
    if (column.is_null(row)) nulls.push_back(row);
  return nulls;
}

}  // namespace

std::pair<std::uint64_t, std::uint64_t> keyed_row(const quality::QuarantinedRow& row) {
  const data::Hash128 hash =
      data::xxh3_128(row.request + ' ' + std::to_string(row.row) + ' ' + row.raw);
  return {hash.high, hash.low};
}

Answer Engine::events(std::string_view source_name, std::string_view body,
                      std::optional<std::int64_t> now_us, EventsRequest request) {
  Parts& parts = *parts_;
  const int index = parts.project->source_index(source_name);
  if (index < 0) return error_answer(unknown_source(*parts.project, source_name));
  const auto at = static_cast<std::size_t>(index);
  const define::Source& source = parts.project->sources[at];
  if (const Status writable = parts.writable(); !writable) return error_answer(writable.error());
  Parts::Keyed keyed;
  if (!request.key.empty()) {
    keyed.key = RequestKeys::key_hash(source_name, request.key);
    keyed.body = RequestKeys::body_hash(body, now_us);
    if (auto again = parts.answer_again(keyed.key, keyed.body, now_us)) return std::move(*again);
  }

  auto read = read_event_rows(body, source, request.lines);
  if (!read) return error_answer(read.error());
  EventRows& rows = *read;
  const std::optional<std::int64_t> arrival_us =
      parts.options.data_clock ? now_us : std::optional(parts.clock->now_us());
  std::vector<std::int64_t> arrivals;  // none where rows say themselves when they became known
  if (arrival_us) arrivals.assign(static_cast<std::size_t>(rows.typed.rows), *arrival_us);
  if (!arrival_us)
    quality::add_unknown(source, nulls_of(parts.declared_known(source, rows.typed)),
                         rows.unreadable);
  quality::RowContext context = parts.memory->context(index, arrivals);
  context.unreadable = rows.unreadable;
  const auto found = parts.checks[at]->find(rows.typed, context);
  if (!found) return error_answer(found.error());
  set_aside(rows, rows_that_break_rules(*parts.checks[at], rows, *found, context));
  const auto answer = [&](const Parts::Taken& taken) {
    return events_answer(rows, taken.last,
                         source.has_names() ? std::optional(taken.names.duplicates) : std::nullopt);
  };
  keyed.answer = answer;
  const auto taken =
      parts.take_events(index, rows.typed, now_us, request.key.empty() ? nullptr : &keyed);
  if (!taken) return error_answer(taken.error());

  for (const BadEventRow& bad : rows.bad) {
    auto row = quarantined(source, bad, arrival_us);
    if (!request.key.empty()) row.request = hash_text(keyed.key);
    // A server that died took some of this request's rows.
    if (!row.request.empty() && parts.kept_before.erase(keyed_row(row)) > 0) continue;
    parts.quarantine.push_back(std::move(row));
  }
  parts.counters.events(source.name,
                        static_cast<std::int64_t>(rows.places.size()) - taken->names.duplicates,
                        static_cast<std::int64_t>(rows.bad.size()));
  if (source.has_names()) parts.counters.names(source.name, taken->names);
  for (const quality::RowVerdict& verdict : found->warned) {
    if (std::ranges::binary_search(found->bad, verdict.row, {}, &quality::RowVerdict::row))
      continue;
    for (const int rule : verdict.rules)
      parts.counters.warned(source.name,
                            parts.checks[at]->rules()[static_cast<std::size_t>(rule)].name, 1);
  }
  return answer(*taken);
}

std::optional<Answer> Engine::Parts::answer_again(data::Hash128 key, data::Hash128 body,
                                                  std::optional<std::int64_t> now_us) {
  const auto known = keys.find(key, std::max(arrival_us(now_us), last_known_us()));
  if (!known) return std::nullopt;
  if (known->body != body) {
    return error_answer({Code::key_reused,
                         "the Idempotency-Key was sent before, with another body",
                         "use a new key for a new request; send the same body again to repeat one",
                         {},
                         {}});
  }
  if (!log.is_synced(known->position)) {
    return error_answer({Code::request_under_way,
                         "the request with this Idempotency-Key is being written",
                         "send it again for its answer, after the time that Retry-After names",
                         {},
                         {}});
  }
  Answer answer;
  Status kept = fail(Code::internal, "the log has no record of this Idempotency-Key");
  const Status read = log.log().read(known->position, [&](const stores::Record& record) {
    auto request = stores::decode_request(record.payload);
    if (record.position == known->position && request) {
      answer = {static_cast<int>(request->status), std::move(request->answer)};
      kept = {};
    }
    return false;
  });
  if (!read) return error_answer(read.error());
  if (!kept) return error_answer(kept.error());
  ++counters.requests_repeated;
  return answer;
}

data::Column Engine::Parts::declared_known(const define::Source& source, const data::Batch& rows) {
  if (!source.known) return rows.columns[static_cast<std::size_t>(source.time_index)];
  return kernel::evaluate(*source.known, rows, {}, evaluation);
}

std::vector<std::int64_t> Engine::Parts::known_times(const define::Source& source,
                                                     const data::Batch& rows,
                                                     std::optional<std::int64_t> now_us) {
  std::vector<std::int64_t> known(static_cast<std::size_t>(rows.rows));
  if (options.data_clock && !now_us) {
    const data::Column declared = declared_known(source, rows);
    for (std::size_t i = 0; i < known.size(); ++i) {
      known[i] = declared.integer(static_cast<std::int64_t>(i));
    }
  } else {
    std::ranges::fill(known, options.data_clock ? *now_us : clock->now_us());
  }
  std::int64_t newest = last_known_us();  // semantics: T1, a clock that never goes back
  for (std::int64_t& us : known) us = newest = std::max(us, newest);
  return known;
}

Result<Engine::Parts::Taken> Engine::Parts::take_events(int source, const data::Batch& rows,
                                                        std::optional<std::int64_t> now_us,
                                                        const Keyed* keyed) {
  if (rows.rows == 0) {
    if (keyed != nullptr) COEVAL_TRY(append_request(now_us, *keyed));
    return Taken{};
  }
  const auto at = static_cast<std::size_t>(source);
  const std::vector<std::int64_t> known = known_times(project->sources[at], rows, now_us);
  COEVAL_ASSIGN(Taken taken, take_known_events(source, rows, known, keyed));
  if (memory->asks_for(source)) memory->remember(source, rows, known);
  return taken;
}

Result<Engine::Parts::Taken> Engine::Parts::take_known_events(int source, const data::Batch& rows,
                                                              std::span<const std::int64_t> known,
                                                              const Keyed* keyed) {
  Taken taken;
  if (kernel->learns(source)) {                               // such a source has no names
    COEVAL_TRY(kernel->prepare_events(source, rows, known));  // whether they can be
    COEVAL_TRY(append_events(source, rows, known, keyed, taken));
    fold_looked_up(source, rows, known);
    return taken;
  }
  kernel::EventIndex* index = names->of(source);
  std::optional<kernel::Amendments> amendments;
  if (index != nullptr) amendments = index->take(rows, known, kernel::EventIndex::Undo::yes);
  if (amendments) taken.names = amendments->counted;
  const auto block = kernel->prepare_events(source, rows, known, kernel::run_in_turn,
                                            amendments ? &*amendments : nullptr);
  const Status appended = block ? append_events(source, rows, known, keyed, taken)
                                : Status(std::unexpected(block.error()));
  if (!appended) {
    // What did not enter the log was not seen.
    if (index != nullptr) index->untake(0);
    return std::unexpected(appended.error());
  }
  for (std::int64_t row = 0; row < rows.rows; ++row) kernel->apply(*block, row);
  return taken;
}

Status Engine::Parts::append_events(int source, const data::Batch& rows,
                                    std::span<const std::int64_t> known_us, const Keyed* keyed,
                                    Taken& taken) {
  const auto at = static_cast<std::size_t>(source);
  const auto count = static_cast<std::size_t>(rows.rows);
  const std::uint64_t first = log.next_position().value + (keyed != nullptr ? 1 : 0);
  taken.last = Position{first + count - 1};
  std::vector<stores::Draft> drafts;
  drafts.reserve(count + 1);
  std::string request, payloads;
  std::vector<std::size_t> ends;
  if (keyed != nullptr) {
    Answer answer = keyed->answer(taken);
    request = stores::encode(
        stores::RequestRecord{static_cast<std::uint32_t>(count), keyed->key, keyed->body,
                              static_cast<std::uint32_t>(answer.status), std::move(answer.body)});
    drafts.push_back({stores::RecordKind::request, KnownTime{known_us.front()}, source_tags[at],
                      schema_tags[at], request});
  }
  data::append_rows(payloads, rows, ends);
  for (std::size_t row = 0, begin = 0; row < count; begin = ends[row++]) {
    drafts.push_back({stores::RecordKind::event, KnownTime{known_us[row]}, source_tags[at],
                      schema_tags[at],
                      std::string_view(payloads).substr(begin, ends[row] - begin)});
  }
  COEVAL_ASSIGN(const Position last, log.append_together(drafts));
  COEVAL_CHECK(last == *taken.last);
  if (keyed != nullptr) keys.add(keyed->key, {keyed->body, Position{first - 1}, known_us.front()});
  return {};
}

Status Engine::Parts::append_request(std::optional<std::int64_t> now_us, const Keyed& keyed) {
  Answer answer = keyed.answer({});
  const std::string request = stores::encode(stores::RequestRecord{
      0, keyed.key, keyed.body, static_cast<std::uint32_t>(answer.status), std::move(answer.body)});
  const std::int64_t arrived_us = arrival_us(now_us);
  COEVAL_ASSIGN(const Position position,
                log.append({stores::RecordKind::request, KnownTime{arrived_us}, 0, 0, request}));
  keys.add(keyed.key, {keyed.body, position, std::max(arrived_us, last_known_us())});
  return {};
}

// Rows that events look up are taken one by one: the next may look up this one.
void Engine::Parts::fold_looked_up(int source, const data::Batch& rows,
                                   std::span<const std::int64_t> known_us) {
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::int64_t wanted[] = {row};
    const std::int64_t known[] = {known_us[static_cast<std::size_t>(row)]};
    const data::Batch one = data::take(rows, wanted);
    const auto block = kernel->prepare_events(source, one, known);
    COEVAL_CHECK(block.has_value() && kernel->learn(source, one, known).has_value());
    kernel->apply(*block, 0);
  }
}

}  // namespace coeval::serving
