#include "stores/state_origin.h"

#include <algorithm>
#include <optional>

#include "data/hash.h"
#include "data/row_codec.h"

namespace coeval::stores {

namespace {

constexpr std::uint64_t kNoRecord = 1;

std::uint64_t check_of(const Record& record) {
  std::string bytes;
  data::put_u64(bytes, record.position.value);
  data::put_u64(bytes, static_cast<std::uint64_t>(record.known.us));
  data::put_u8(bytes, static_cast<std::uint8_t>(record.kind));
  data::put_u32(bytes, record.source);
  data::put_u32(bytes, record.schema_version);
  bytes += record.payload;
  return std::max(data::xxh3_64(bytes), kNoRecord);
}

// The part of a basis before the log's id.
std::string_view definition_of(std::string_view basis) { return basis.substr(0, basis.find(' ')); }

Fitness unfit(bool other_log, std::string why) { return {false, other_log, std::move(why)}; }

}  // namespace

Result<std::uint64_t> log_check(const EventLog& log, Position position) {
  if (position.value == 0) return kNoRecord;
  std::optional<std::uint64_t> found;
  COEVAL_TRY(log.read(Position{position.value - 1}, [&](const Record& record) {
    found = check_of(record);
    return false;
  }));
  if (found) return *found;
  return fail(Code::log_corrupt,
              "the log has no record at position " + std::to_string(position.value - 1));
}

Result<LogPoint> log_point(const EventLog& log, Position position) {
  COEVAL_ASSIGN(const std::uint64_t check, log_check(log, position));
  return LogPoint(position, check);
}

std::string state_basis(std::string_view definition_hash, std::string_view log_id) {
  std::string basis(definition_hash);
  if (!log_id.empty()) basis.append(" of log ").append(log_id);
  return basis;
}

Result<Fitness> fitness(const SavedOrigin& saved, const StateOrigin& origin) {
  if (saved.basis != origin.basis) {
    const bool other_log = definition_of(saved.basis) == definition_of(origin.basis);
    return unfit(other_log, other_log ? "it is of another log" : "it is of another definition");
  }
  const std::string at = std::to_string(saved.at.position.value);
  if (saved.at.position > origin.end)
    return unfit(true, "it is as of log position " + at + " and the log ends at " +
                           std::to_string(origin.end.value) +
                           ": the log was put back to an older one");
  if (origin.log == nullptr || saved.at.check == 0) return Fitness{};
  COEVAL_ASSIGN(const std::uint64_t check, log_check(*origin.log, saved.at.position));
  if (check == saved.at.check) return Fitness{};
  return unfit(true, "the log has another record before position " + at +
                         " than when it was saved: the log was put back to an older one, or "
                         "another was put in its place");
}

}  // namespace coeval::stores
