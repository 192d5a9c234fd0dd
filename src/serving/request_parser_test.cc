#include "serving/request_parser.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace coeval::serving {
namespace {

using Phase = RequestParser::Phase;
constexpr RequestParser::Limits kSmallLimits{.header_bytes = 512, .body_bytes = 100};

/// What a stream of bytes is read as, fed in pieces of at most `piece`.
struct Reading {
  std::vector<Request> requests;
  Phase phase = Phase::idle;
  Error error;
};

Reading read_all(const std::string& bytes, std::size_t piece,
                 RequestParser::Limits limits = kSmallLimits) {
  RequestParser parser(limits);
  Reading reading;
  std::string waiting;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    waiting += bytes.substr(at, piece);
    for (bool more = true; more;) {
      waiting.erase(0, parser.parse(waiting));
      more = parser.phase() == Phase::complete;
      if (more) reading.requests.push_back(parser.take());
    }
    if (parser.phase() == Phase::failed) break;
  }
  reading.phase = parser.phase();
  reading.error = parser.error();
  return reading;
}

Code refusal(const std::string& bytes) {
  const Reading reading = read_all(bytes, bytes.size());
  CHECK_MESSAGE(reading.phase == Phase::failed, bytes);
  const Reading slowly = read_all(bytes, 1);
  CHECK_MESSAGE(slowly.phase == Phase::failed, bytes);
  CHECK(slowly.error.code == reading.error.code);
  return reading.error.code;
}

const std::string kHost = "Host: x\r\n";

TEST_CASE("requests are the same however the bytes are split") {
  const std::string stream = "POST /a?b=c HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\n\r\nhello" +
                             "\r\nGET /b HTTP/1.1\r\nhost: y\r\n\r\n" + "POST /c HTTP/1.1\r\n" +
                             kHost + "Transfer-Encoding: chunked\r\n\r\n" +
                             "3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nHost: z\r\n\r\n" +
                             "GET /d HTTP/1.0\r\n\r\n" +
                             "GET /e HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" +
                             "GET /f HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, stream.size()}) {
    const Reading reading = read_all(stream, piece);
    REQUIRE(reading.requests.size() == 6);
    CHECK(reading.phase == Phase::idle);
    CHECK(reading.requests[0].method == "POST");
    CHECK(reading.requests[0].target == "/a?b=c");
    CHECK(reading.requests[0].body == "hello");
    CHECK(reading.requests[1].target == "/b");
    CHECK(reading.requests[1].keep_alive);
    CHECK(reading.requests[2].body == "abc0123456789");
    CHECK(reading.requests[3].http_1_0);
    CHECK_FALSE(reading.requests[3].keep_alive);
    CHECK(reading.requests[4].keep_alive);
    CHECK_FALSE(reading.requests[5].keep_alive);
  }
}

TEST_CASE("what could be read in two ways is refused") {
  const std::string post = "POST / HTTP/1.1\r\n" + kHost;
  CHECK(refusal(post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        Code::bad_request);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n") ==
        Code::bad_request);
  CHECK(refusal(post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello") == Code::bad_request);
  CHECK(refusal(post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello") == Code::bad_request);
  CHECK(refusal(post + "Content-Length: 5, 5\r\n\r\nhello") == Code::bad_request);
  CHECK(refusal(post + "Content-Length: +5\r\n\r\nhello") == Code::bad_request);
  CHECK(refusal(post + "Content-Length: 0x5\r\n\r\nhello") == Code::bad_request);
  CHECK(refusal(post + "Content-Length: 99999999999999999999\r\n\r\n") == Code::bad_request);
  CHECK(refusal(post + "Content-Length : 5\r\n\r\nhello") == Code::bad_request);
  CHECK(refusal(post + "Transfer-Encoding: gzip\r\n\r\n") == Code::unsupported);
  CHECK(refusal(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n") == Code::unsupported);
  CHECK(refusal(post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n") == Code::unsupported);
  CHECK(
      refusal(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
      Code::bad_request);
  CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        Code::bad_request);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n") == Code::bad_request);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n") ==
        Code::bad_request);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n") ==
        Code::bad_request);
  CHECK(refusal(post + "Expect: miracles\r\n\r\n") == Code::bad_request);
}

TEST_CASE("a malformed request line or field is refused") {
  for (const std::string line :
       {"GET  / HTTP/1.1", "GET /", "GET / HTTP/2.0", "GET / HTTP/1.1 ", "G\x01T / HTTP/1.1",
        " GET / HTTP/1.1", "GET / http/1.1", "GET /\x7f HTTP/1.1", "GET / HTTP/1.2x"}) {
    CHECK(refusal(line + "\r\n" + kHost + "\r\n") == Code::bad_request);
  }
  CHECK(refusal("GET / HTTP/1.1\n" + kHost + "\r\n") == Code::bad_request);
  CHECK(refusal("GET / HTTP/1.1\r\n" + kHost + "a\x01: b\r\n\r\n") == Code::bad_request);
  CHECK(refusal("GET / HTTP/1.1\r\n" + kHost + "a: b\x01\r\n\r\n") == Code::bad_request);
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == Code::bad_request);
  CHECK(refusal("GET / HTTP/1.1\r\n" + kHost + kHost + "\r\n") == Code::bad_request);
}

TEST_CASE("a field that is folded over two lines is refused, in the header and in the trailer") {
  for (const std::string fold : {"\r\n b", "\r\n\tb", "\r\n ", " \r\n \r\n b"}) {
    CAPTURE(fold);
    CHECK(refusal("GET / HTTP/1.1\r\n" + kHost + "a: a" + fold + "\r\n\r\n") == Code::bad_request);
    CHECK(refusal("GET / HTTP/1.1\r\na: a" + fold + "\r\n" + kHost + "\r\n") == Code::bad_request);
    CHECK(refusal("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n" +
                  "1\r\nx\r\n0\r\na: a" + fold + "\r\n\r\n") == Code::bad_request);
  }
  CHECK(refusal("GET / HTTP/1.1\r\n " + kHost + "\r\n") == Code::bad_request);
  const std::string folded = "GET / HTTP/1.1\r\n" + kHost + "a: a\r\n b\r\nc: d\r\n\r\n";
  for (std::size_t piece = 1; piece <= folded.size(); ++piece) {
    CAPTURE(piece);
    CHECK(read_all(folded, piece).phase == Phase::failed);
  }
  // Bytes of a body are no fields.
  const std::string body = "a: b\r\n c\r\n\td";
  const Reading plain =
      read_all("POST / HTTP/1.1\r\n" + kHost + "Content-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body,
               1000);
  REQUIRE(plain.requests.size() == 1);
  CHECK(plain.requests[0].body == body);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
    const Reading chunked =
        read_all("POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\nc\r\n" + body +
                     "\r\n0\r\nx: y\r\n\r\n",
                 piece);
    REQUIRE(chunked.requests.size() == 1);
    CHECK(chunked.requests[0].body == body);
  }
}

TEST_CASE("the fields that say where a request goes and how its body is coded are kept") {
  const Reading reading = read_all(
      "POST / HTTP/1.1\r\nHost: example.org:81\r\nContent-Encoding: gzip\r\n"
      "content-encoding: br\r\nContent-Length: 1\r\n\r\nx",
      7);
  REQUIRE(reading.requests.size() == 1);
  CHECK(reading.requests[0].host == "example.org:81");
  CHECK(reading.requests[0].content_encoding == "gzip, br");
  CHECK(read_all("GET / HTTP/1.0\r\n\r\n", 100).requests.at(0).host.empty());
}

TEST_CASE("limits hold before the bytes have come") {
  const std::string post = "POST / HTTP/1.1\r\n" + kHost;
  CHECK(refusal(post + "Content-Length: 104857600\r\n\r\n") == Code::body_too_large);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\n065\r\n") == Code::body_too_large);
  std::string chunks;
  for (int i = 0; i < 11; ++i) chunks += "a\r\n0123456789\r\n";
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\n" + chunks) == Code::body_too_large);
  CHECK(refusal("GET /" + std::string(600, 'a')) == Code::header_too_large);
  CHECK(refusal(post + "a: " + std::string(600, 'b')) == Code::header_too_large);
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "a: b\r\n";
  CHECK(refusal(post + fields) == Code::header_too_large);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(600, 'x')) ==
        Code::header_too_large);
  CHECK(refusal(post + "Transfer-Encoding: chunked\r\n\r\n0\r\na: " + std::string(600, 'x')) ==
        Code::header_too_large);
}

TEST_CASE("a client that waits for 100 Continue is seen once, and not when it is refused") {
  RequestParser parser(kSmallLimits);
  const std::string head =
      "POST / HTTP/1.1\r\n" + kHost + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  CHECK(parser.parse(head) == head.size());
  CHECK(parser.wants_continue());
  CHECK_FALSE(parser.wants_continue());
  CHECK(parser.parse("ok") == 2);
  CHECK(parser.take().body == "ok");

  RequestParser refusing(kSmallLimits);
  refusing.parse("POST / HTTP/1.1\r\n" + kHost +
                 "Expect: 100-continue\r\nContent-Length: 2000\r\n\r\n");
  CHECK(refusing.phase() == Phase::failed);
  CHECK_FALSE(refusing.wants_continue());
}

}  // namespace
}  // namespace coeval::serving
