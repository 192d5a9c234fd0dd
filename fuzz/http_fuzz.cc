#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "serving/http_message.h"
#include "serving/request_parser.h"
#include "serving/routes.h"

// What a stream of bytes means must not depend on how the network cut it: the same requests come
// out when it arrives at once, byte by byte, and in pieces. Otherwise a request could be smuggled
// past whoever stands in front of the server. (When a fault is seen may differ: a parser that has
// waited for the end of a header looks again only when that has come.) Limits hold for whatever was
// read, and an address is matched without a crash.
namespace {

using namespace coeval;
using namespace coeval::serving;

constexpr RequestParser::Limits kLimits{.header_bytes = 1024, .body_bytes = 256};

struct Reading {
  std::vector<Request> requests;
  RequestParser::Phase phase = RequestParser::Phase::idle;
};

Reading read_in_pieces(std::string_view bytes, std::size_t piece) {
  RequestParser parser(kLimits);
  Reading reading;
  std::string waiting;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    waiting += bytes.substr(at, piece);
    do {
      waiting.erase(0, parser.parse(waiting));
      if (parser.phase() != RequestParser::Phase::complete) break;
      reading.requests.push_back(parser.take());
    } while (true);
    if (parser.phase() == RequestParser::Phase::failed) break;
  }
  reading.phase = parser.phase();
  return reading;
}

bool same_end(RequestParser::Phase a, RequestParser::Phase b) {
  using Phase = RequestParser::Phase;
  if (a == b) return true;
  const Phase other = a == Phase::failed ? b : a;
  return (a == Phase::failed || b == Phase::failed) &&
         (other == Phase::header || other == Phase::body);
}

void check_request(const Request& request) {
  COEVAL_CHECK(request.body.size() <= kLimits.body_bytes);
  COEVAL_CHECK(request.target.size() + request.method.size() <= kLimits.header_bytes);
  const auto target = parse_target(request.target);
  if (!target) return;
  std::string allow;
  const auto match = match_route(request.method, *target, &allow);
  if (match) COEVAL_CHECK(match->parameter.find_first_of("/\\%") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Reading whole = read_in_pieces(bytes, bytes.size() + 1);
  for (const Request& request : whole.requests) check_request(request);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, std::size_t{64}}) {
    const Reading pieces = read_in_pieces(bytes, piece);
    COEVAL_CHECK(same_end(pieces.phase, whole.phase));
    COEVAL_CHECK(pieces.requests.size() == whole.requests.size());
    for (std::size_t i = 0; i < whole.requests.size(); ++i) {
      COEVAL_CHECK(pieces.requests[i].method == whole.requests[i].method);
      COEVAL_CHECK(pieces.requests[i].target == whole.requests[i].target);
      COEVAL_CHECK(pieces.requests[i].body == whole.requests[i].body);
      COEVAL_CHECK(pieces.requests[i].keep_alive == whole.requests[i].keep_alive);
    }
  }
  return 0;
}
