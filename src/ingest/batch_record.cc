#include "ingest/batch_record.h"

#include <charconv>

#include "data/hash.h"
#include "data/json.h"
#include "stores/event_log.h"
#include "stores/record_names.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kIdDigits = 16;

// Members of one object; the first that is absent or of another kind makes the whole bad.
class Members {
 public:
  explicit Members(const data::Json& json) : json_(json) {}
  std::string text(std::string_view key) {
    const data::Json* member = json_.find(key);
    bad_ = bad_ || member == nullptr || member->string() == nullptr;
    return bad_ ? std::string() : *member->string();
  }
  std::int64_t number(std::string_view key) {
    const data::Json* member = json_.find(key);
    bad_ = bad_ || member == nullptr || member->integer() == nullptr;
    return bad_ ? 0 : *member->integer();
  }
  std::string text_or_empty(std::string_view key) {
    return json_.find(key) == nullptr ? std::string() : text(key);
  }
  std::int64_t number_or_zero(std::string_view key) {
    return json_.find(key) == nullptr ? 0 : number(key);
  }
  bool bad() const { return bad_; }

 private:
  const data::Json& json_;
  bool bad_ = false;
};

std::unexpected<Error> unreadable(std::string_view what) {
  return fail(Code::log_corrupt, "a record of the log does not say which " + std::string(what),
              "a newer version of coeval wrote it, or the log was changed by hand");
}

std::uint32_t parse_tag(const std::string& text) {
  std::uint32_t tag = 0;
  std::from_chars(text.data(), text.data() + text.size(), tag, 16);
  return tag;
}

}  // namespace

std::string encode(const BatchRecord& batch) {
  data::Json json{data::Json::Object{}};
  json.set("batch", batch.id);
  json.set("source", batch.source);
  json.set("origin", batch.origin);
  json.set("sha256", batch.sha256);
  json.set("bytes", static_cast<std::int64_t>(batch.bytes));
  if (batch.first_line > 0) json.set("first_line", batch.first_line);
  json.set("schema", stores::tag_text(batch.schema));
  json.set("read", batch.counts.read);
  json.set("accepted", batch.counts.accepted);
  json.set("quarantined", batch.counts.quarantined);
  json.set("duplicates", batch.counts.duplicates);
  if (batch.of_requests > 0) json.set("of_requests", batch.of_requests);
  if (!batch.reason.empty()) json.set("reason", batch.reason);
  return stores::batch_payload(batch.events(), json.dump());
}

Result<BatchRecord> parse_batch(std::string_view payload) {
  const auto parts = stores::parse_batch_payload(payload);
  if (!parts) return unreadable("batch begins");
  const auto json = data::parse_json(parts->text);
  if (!json) return unreadable("batch begins");
  Members members(*json);
  BatchRecord batch;
  batch.id = members.text("batch");
  batch.source = members.text("source");
  batch.origin = members.text("origin");
  batch.sha256 = members.text("sha256");
  batch.bytes = static_cast<std::uint64_t>(members.number("bytes"));
  batch.first_line = members.number_or_zero("first_line");
  batch.schema = parse_tag(members.text("schema"));
  batch.counts = {members.number("read"), members.number("accepted"), members.number("quarantined"),
                  members.number("duplicates")};
  batch.of_requests = members.number_or_zero("of_requests");
  batch.reason = members.text_or_empty("reason");
  if (members.bad() || batch.events() != parts->events) return unreadable("batch begins");
  return batch;
}

std::string batch_id(std::string_view source, std::string_view sha256, std::int64_t first_line) {
  const std::string text = "batch 1\n" + std::string(source) + "\n" + std::string(sha256) + "\n" +
                           std::to_string(first_line) + "\n";
  return data::sha256_hex(text).substr(0, kIdDigits);
}

std::string encode(const Note& note) {
  data::Json json{data::Json::Object{}};
  json.set("note", note.kind == Note::Kind::dropped ? "dropped" : "discarded");
  json.set("id", note.id);
  json.set("source", note.source);
  if (!note.rule.empty()) json.set("rule", note.rule);
  json.set("reason", note.reason);
  json.set("rows", note.rows);
  if (note.of_requests > 0) json.set("of_requests", note.of_requests);
  return json.dump();
}

Result<Note> parse_note(std::string_view payload) {
  const auto json = data::parse_json(payload);
  if (!json) return unreadable("rows were left out");
  Members members(*json);
  Note note;
  const std::string kind = members.text("note");
  note.kind = kind == "dropped" ? Note::Kind::dropped : Note::Kind::discarded;
  note.id = members.text("id");
  note.source = members.text("source");
  note.rule = members.text_or_empty("rule");
  note.reason = members.text("reason");
  note.rows = members.number("rows");
  note.of_requests = members.number_or_zero("of_requests");
  if (members.bad() || (kind != "dropped" && kind != "discarded"))
    return unreadable("rows were left out");
  return note;
}

}  // namespace coeval::ingest
