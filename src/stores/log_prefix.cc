#include "stores/log_prefix.h"

#include <algorithm>
#include <limits>

namespace coeval::stores {

namespace {

std::unexpected<Error> read_only() {
  return fail(Code::unsupported, "the beginning of a log is for reading only");
}

class LogPrefix final : public EventLog {
 public:
  LogPrefix(const EventLog& log, Position end)
      : log_(log), end_{std::min(end.value, log.next_position().value)} {}

  Result<Position> append(const Draft&) override { return read_only(); }
  Result<Position> append_together(std::span<const Draft>) override { return read_only(); }
  Status flush() override { return read_only(); }
  Status sync() override { return read_only(); }
  Status reopen() override { return read_only(); }
  Status declare(const std::string&, const data::Schema&) override { return read_only(); }

  Position next_position() const override { return end_; }

  KnownTime last_known() const override {
    KnownTime last{std::numeric_limits<std::int64_t>::min()};
    if (end_.value == 0) return last;
    const auto note = [&](const Record& record) {
      last = record.known;
      return true;
    };
    return read(Position{end_.value - 1}, note) ? last : log_.last_known();
  }

  Status read(Position from, const std::function<bool(const Record&)>& visit) const override {
    return log_.read(from, [&](const Record& record) {
      return record.position.value < end_.value && visit(record);
    });
  }

  Result<std::vector<LogSchema>> schemas() const override { return log_.schemas(); }
  Result<std::optional<LogTrim>> trim() const override { return log_.trim(); }

 private:
  const EventLog& log_;
  Position end_;
};

}  // namespace

std::unique_ptr<EventLog> log_prefix(const EventLog& log, Position end) {
  return std::make_unique<LogPrefix>(log, end);
}

}  // namespace coeval::stores
