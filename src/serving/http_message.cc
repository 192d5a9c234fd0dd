#include "serving/http_message.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/time.h"

namespace coeval::serving {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Other";
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Response json_response(Answer answer) {
  Response response;
  response.status = answer.status;
  response.body = std::move(answer.body);
  response.retry_after = answer.status == 409 || answer.status == 503 || answer.status == 507;
  return response;
}

Response error_response(const Error& error) { return json_response(error_answer(error)); }

void append_response(std::string& out, const Response& response, const ResponseFraming& framing) {
  out += framing.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out.append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\n");
  append_field(out, "Content-Type", response.content_type);
  append_field(out, "Content-Length", std::to_string(response.body.size()));
  if (!framing.date.empty()) append_field(out, "Date", framing.date);
  if (!response.allow.empty()) append_field(out, "Allow", response.allow);
  if (!response.accepts.empty()) append_field(out, "Accept-Encoding", response.accepts);
  if (response.retry_after) append_field(out, "Retry-After", "1");
  if (!framing.keep_alive) {
    append_field(out, "Connection", "close");
  } else if (framing.http_1_0) {
    append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  if (!framing.head) out += response.body;
}

std::string http_date(std::int64_t us) {
  constexpr std::array<const char*, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime t = civil_time(us);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04lld %02d:%02d:%02d GMT",
                                 kDays[static_cast<std::size_t>(t.weekday)], t.day,
                                 kMonths[static_cast<std::size_t>(t.month - 1)],
                                 static_cast<long long>(t.year), t.hour, t.minute, t.second);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace coeval::serving
