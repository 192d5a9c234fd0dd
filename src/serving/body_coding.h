#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::serving {

/// The codings that decode_body knows besides none, as an Accept-Encoding field lists them.
inline constexpr std::string_view kBodyCodings = "gzip, zstd";

/// Decodes a request's body in place: gzip (x-gzip) and zstd, each also of several members or
/// frames; identity and no coding leave it as it is. At no time does it hold more than `max_bytes`
/// and a block, however well the body was compressed; a zstd window is at most 8 MiB (RFC 9659).
/// Errors: unsupported_encoding for another coding, or more than one; body_too_large; bad_request
/// for bytes that are not of the coding, end early, or go on behind it.
Status decode_body(std::string_view coding, std::size_t max_bytes, std::string& body);

}  // namespace coeval::serving
