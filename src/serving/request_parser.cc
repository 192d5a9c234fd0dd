#include "serving/request_parser.h"

#include <algorithm>
// gcc 12 with -fsanitize=address takes the empty boost::optional inside Beast for uninitialised.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#include <optional>
#include <string>
#include <utility>

namespace coeval::serving {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using BeastView = beast::string_view;

constexpr std::size_t kBodyReserve = 1u << 20;
/// "0\r\n\r\n": a chunked body that is not over has at least so many bytes to come.
constexpr std::size_t kLastChunkBytes = 5;

std::string_view view(BeastView text) { return {text.data(), text.size()}; }

constexpr BeastView kIdempotencyKey = "Idempotency-Key";
constexpr std::size_t kMaxKeyBytes = 255;

/// A key as the draft of the field writes it, a string in quotes, or as many clients do, without.
/// Nothing for what is neither, or longer than kMaxKeyBytes.
std::optional<std::string> read_key(std::string_view field) {
  const bool quoted = field.starts_with('"');
  if (quoted && (field.size() < 2 || !field.ends_with('"'))) return std::nullopt;
  if (quoted) field = field.substr(1, field.size() - 2);
  std::string key;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool escape = quoted && field[i] == '\\';
    if (escape && ++i == field.size()) return std::nullopt;
    const char c = field[i];
    const bool special = c == '"' || c == '\\';
    if (c < ' ' || c > '~' || (quoted ? special != escape : special || c == ' ' || c == ','))
      return std::nullopt;
    key += c;
  }
  if (key.empty() || key.size() > kMaxKeyBytes) return std::nullopt;
  return key;
}

/// RFC 9112, 5.2: a field that goes on in the next line. Beast would join the two.
bool has_folded_line(std::string_view fields) {
  return fields.find("\r\n ") != std::string_view::npos ||
         fields.find("\r\n\t") != std::string_view::npos;
}

}  // namespace

/// Beast's parser with what RFC 9112 lets a strict server refuse on top. Of the fields only those
/// are looked at that change what a request means.
class RequestParser::Beast final : public http::basic_parser<true> {
 public:
  Beast(RequestParser& owner, const Limits& limits) : owner_(owner) {
    header_limit(limits.header_bytes);
    body_limit(limits.body_bytes);
    eager(false);
  }

 private:
  using Code = beast::error_code;

  void refuse(Code& ec, coeval::Code code, std::string message, std::string advice) {
    owner_.fail_with(code, std::move(message), std::move(advice));
    ec = http::error::bad_value;
  }

  void on_request_impl(http::verb, BeastView method, BeastView target, int version,
                       Code&) override {
    owner_.request_.method = view(method);
    owner_.request_.target = view(target);
    owner_.request_.http_1_0 = version < 11;
  }

  void on_field_impl(http::field name, BeastView text, BeastView value, Code& ec) override {
    if (header_over_) return;  // a trailer field means nothing to us
    switch (name) {
      case http::field::transfer_encoding:
        return check_coding(value, ec);
      case http::field::content_length:
        if (++lengths_ > 1 || value.find(',') != BeastView::npos) {
          refuse(ec, coeval::Code::bad_request, "more than one Content-Length", "send exactly one");
        }
        return;
      case http::field::host:
        ++hosts_;
        owner_.request_.host = view(value);
        return;
      case http::field::content_encoding: {
        std::string& codings = owner_.request_.content_encoding;
        codings.append(codings.empty() ? "" : ", ").append(view(value));
        return;
      }
      case http::field::expect:
        if (!beast::iequals(value, "100-continue")) {
          refuse(ec, coeval::Code::bad_request, "unknown expectation",
                 "only 100-continue is known");
        }
        owner_.expects_continue_ = true;
        return;
      case http::field::content_type:
        owner_.request_.content_type = view(value);
        return;
      case http::field::unknown:
        if (beast::iequals(text, kIdempotencyKey)) take_key(value, ec);
        return;
      default:
        return;
    }
  }

  void take_key(BeastView value, Code& ec) {
    std::string& key = owner_.request_.idempotency_key;
    auto read = read_key(view(value));
    if (!read || !key.empty()) {
      return refuse(
          ec, coeval::Code::bad_request,
          read ? "more than one Idempotency-Key" : "malformed Idempotency-Key",
          "send one, of at most 255 printable ASCII characters, such as a UUID in quotes");
    }
    key = std::move(*read);
  }

  void check_coding(BeastView value, Code& ec) {
    if (!beast::iequals(value, "chunked")) {
      refuse(ec, coeval::Code::unsupported, "unknown transfer coding",
             "send Content-Length, or chunked");
    } else if (owner_.request_.http_1_0) {
      refuse(ec, coeval::Code::bad_request, "HTTP/1.0 has no transfer codings",
             "send Content-Length");
    }
  }

  void on_header_impl(Code& ec) override {
    header_over_ = true;
    owner_.request_.keep_alive = keep_alive();
    if (owner_.request_.http_1_0) {
      owner_.expects_continue_ = false;
      if (hosts_ > 1) refuse(ec, coeval::Code::bad_request, "more than one Host field", "send one");
    } else if (hosts_ != 1) {
      refuse(ec, coeval::Code::bad_request,
             hosts_ == 0 ? "no Host field" : "more than one Host field",
             "send exactly one, as HTTP/1.1 asks");
    }
  }

  void on_body_init_impl(boost::optional<std::uint64_t> const& length, Code&) override {
    owner_.request_.body.reserve(
        static_cast<std::size_t>(std::min<std::uint64_t>(length.value_or(0), kBodyReserve)));
  }

  std::size_t on_body_impl(BeastView bytes, Code&) override {
    owner_.request_.body += view(bytes);
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, BeastView, Code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, Code&) override {
    owner_.request_.body += view(bytes);
    return bytes.size();
  }

  void on_response_impl(int, BeastView, int, Code&) override {}
  void on_finish_impl(Code&) override {}

  RequestParser& owner_;
  bool header_over_ = false;
  int lengths_ = 0, hosts_ = 0;
};

RequestParser::RequestParser(Limits limits) : limits_(limits) {}
RequestParser::~RequestParser() = default;

void RequestParser::fail_with(Code code, std::string message, std::string advice) {
  if (phase_ == Phase::failed) return;  // the first reason is the right one
  phase_ = Phase::failed;
  error_ = Error{code, std::move(message), std::move(advice), {}, {}};
}

void RequestParser::begin() {
  phase_ = Phase::header;
  beast_ = std::make_unique<Beast>(*this, limits_);
  request_ = {};
  header_used_ = 0;
  expects_continue_ = false;
}

bool RequestParser::wants_continue() {
  if (phase_ != Phase::body) return false;
  return std::exchange(expects_continue_, false);
}

Request RequestParser::take() {
  phase_ = Phase::idle;
  beast_.reset();
  return std::exchange(request_, {});
}

std::size_t RequestParser::parse(std::string_view bytes) {
  std::size_t used = 0;
  // RFC 9112, 2.2: a server should ignore empty lines before a request.
  while (phase_ == Phase::idle && bytes.substr(used).starts_with("\r\n")) used += 2;
  if (phase_ == Phase::idle) {
    if (used == bytes.size() || bytes.substr(used) == "\r") return used;
    begin();
  }
  while ((phase_ == Phase::header || phase_ == Phase::body) && used < bytes.size()) {
    const std::size_t step = parse_step(bytes.substr(used));
    used += step;
    if (step == 0) break;
  }
  return used;
}

std::size_t RequestParser::parse_step(std::string_view bytes) {
  // Beast asserts on fewer when it has seen a last chunk's size but not its end. (http_fuzz found
  // it)
  if (phase_ == Phase::body && beast_->chunked() && bytes.size() < kLastChunkBytes) return 0;
  beast::error_code ec;
  const std::size_t step = beast_->put({bytes.data(), bytes.size()}, ec);
  if (phase_ == Phase::failed) return step;
  if (phase_ == Phase::header) header_used_ += step;
  // Beast takes a field with all its lines at once, and the trailer with the last chunk's size.
  const bool trailer = phase_ == Phase::body && beast_->chunked() && beast_->is_done();
  if ((phase_ == Phase::header || trailer) && has_folded_line(bytes.substr(0, step))) {
    fail_with(Code::bad_request, "a header field is folded over two lines",
              "send each field on one line, as RFC 9112 has it");
    return step;
  }
  // Unused bytes are a header, or a chunk's own header, that has not ended yet: both are bounded.
  const bool unfinished = ec == http::error::need_more;
  const std::size_t header =
      (phase_ == Phase::header ? header_used_ : 0) + (unfinished ? bytes.size() - step : 0);
  if (ec == http::error::header_limit || header > limits_.header_bytes) {
    fail_with(Code::header_too_large,
              "header larger than " + std::to_string(limits_.header_bytes) + " bytes", "send less");
  } else if (ec == http::error::body_limit) {
    fail_with(Code::body_too_large,
              "body larger than " + std::to_string(limits_.body_bytes) + " bytes",
              "send it in parts");
  } else if (ec && !unfinished) {
    fail_with(Code::bad_request, "malformed request: " + ec.message(),
              "send HTTP/1.1 as RFC 9112 has it");
  } else if (beast_->is_done()) {
    phase_ = Phase::complete;
  } else if (beast_->is_header_done()) {
    phase_ = Phase::body;
  }
  return step;
}

}  // namespace coeval::serving
