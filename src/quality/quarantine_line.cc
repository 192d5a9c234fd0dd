#include "quality/quarantine_line.h"

#include "data/utf8.h"

namespace coeval::quality {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += kHexDigits[static_cast<unsigned char>(byte) >> 4];
    out += kHexDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

bool from_hex(std::string_view text, std::string& bytes) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kHexDigits.find(text[i]), low = kHexDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    bytes += static_cast<char>(high << 4 | low);
  }
  return true;
}

std::unexpected<Error> bad_member(std::string_view key, std::string_view wanted) {
  return fail(Code::bad_json,
              "expected " + std::string(wanted) + " in member '" + std::string(key) + "'");
}

Result<std::string> text_member(const data::Json& line, std::string_view key) {
  const data::Json* member = line.find(key);
  if (member == nullptr || member->string() == nullptr) return bad_member(key, "a string");
  return *member->string();
}

Result<std::string> raw_member(const data::Json& line) {
  if (line.find("raw_hex") == nullptr) return text_member(line, "raw");
  COEVAL_ASSIGN(const std::string digits, text_member(line, "raw_hex"));
  std::string bytes;
  if (!from_hex(digits, bytes))
    return bad_member("raw_hex", "two lower-case hexadecimal digits a byte");
  return bytes;
}

Result<std::vector<std::string>> rules_member(const data::Json& line) {
  const data::Json* member = line.find("rules");
  if (member == nullptr || member->array() == nullptr) return bad_member("rules", "an array");
  std::vector<std::string> rules;
  for (const data::Json& rule : *member->array()) {
    if (rule.string() == nullptr) return bad_member("rules", "strings");
    rules.push_back(*rule.string());
  }
  return rules;
}

// Members that a line need not have.
void add_particulars(data::Json::Object& line, const QuarantinedRow& row) {
  const auto add_text = [&line](const char* key, const std::string& text) {
    if (!text.empty()) line.emplace_back(key, text);
  };
  add_text("batch", row.batch);
  add_text("sha256", row.sha256);
  if (row.offset) line.emplace_back("offset", static_cast<std::int64_t>(*row.offset));
  if (!row.observed.is_null()) line.emplace_back("observed", row.observed);
  add_text("schema", row.schema);
  if (!row.header.empty() && data::is_utf8(row.header)) line.emplace_back("header", row.header);
  if (row.time_us) line.emplace_back("time_us", *row.time_us);
  add_text("request", row.request);
}

Status read_text(const data::Json& line, std::string_view key, std::string& text) {
  if (line.find(key) == nullptr) return {};
  COEVAL_ASSIGN(text, text_member(line, key));
  return {};
}

Result<std::optional<std::int64_t>> integer_member(const data::Json& line, std::string_view key) {
  const data::Json* member = line.find(key);
  if (member == nullptr) return std::nullopt;
  if (member->integer() == nullptr) return bad_member(key, "an integer");
  return *member->integer();
}

Status read_particulars(const data::Json& line, QuarantinedRow& row) {
  COEVAL_TRY(read_text(line, "batch", row.batch));
  COEVAL_TRY(read_text(line, "sha256", row.sha256));
  COEVAL_ASSIGN(const auto offset, integer_member(line, "offset"));
  if (offset) row.offset = static_cast<std::uint64_t>(*offset);
  if (const data::Json* observed = line.find("observed")) row.observed = *observed;
  COEVAL_TRY(read_text(line, "schema", row.schema));
  COEVAL_TRY(read_text(line, "header", row.header));
  COEVAL_ASSIGN(row.time_us, integer_member(line, "time_us"));
  COEVAL_TRY(read_text(line, "request", row.request));
  return {};
}

}  // namespace

std::string quarantine_line(const QuarantinedRow& row) {
  data::Json::Array rules(row.rules.begin(), row.rules.end());
  const bool text = data::is_utf8(row.raw);
  data::Json::Object line;
  line.emplace_back("source", row.source);
  line.emplace_back("origin", row.origin);
  line.emplace_back("row", row.row);
  line.emplace_back(text ? "raw" : "raw_hex", text ? row.raw : to_hex(row.raw));
  line.emplace_back("rules", std::move(rules));
  line.emplace_back("reason", row.reason);
  add_particulars(line, row);
  return data::Json(std::move(line)).dump() + "\n";
}

Result<QuarantinedRow> parse_quarantine_line(const data::Json& line) {
  QuarantinedRow row;
  COEVAL_ASSIGN(row.source, text_member(line, "source"));
  COEVAL_ASSIGN(row.origin, text_member(line, "origin"));
  COEVAL_ASSIGN(row.raw, raw_member(line));
  COEVAL_ASSIGN(row.rules, rules_member(line));
  COEVAL_ASSIGN(row.reason, text_member(line, "reason"));
  const data::Json* number = line.find("row");
  if (number == nullptr || number->integer() == nullptr) return bad_member("row", "an integer");
  row.row = *number->integer();
  COEVAL_TRY(read_particulars(line, row));
  return row;
}

}  // namespace coeval::quality
