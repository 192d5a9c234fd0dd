#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/hash.h"

namespace coeval::stores {

/// A request with an Idempotency-Key, as it stands in the log before its events. The events are the
/// `events` records right behind it, so their positions need no telling. They are there all, or the
/// request is not there: a writer that opens a log whose last request lacks events cuts it off.
struct RequestRecord {
  std::uint32_t events = 0;  ///< records behind this one that belong to it
  data::Hash128 key;         ///< of the source's name and the key
  data::Hash128 body;        ///< of the body, and of the moment that the sender named, if any
  std::uint32_t status = 0;  ///< HTTP status of the answer
  std::string answer;        ///< its body, with all counts: what the same request gets again
  friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};
/// Binary form, versioned by its first byte.
std::string encode(const RequestRecord& record);
/// Errors: bad_file.
Result<RequestRecord> decode_request(std::string_view bytes);

}  // namespace coeval::stores
