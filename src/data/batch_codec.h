#pragma once

#include <string>
#include <string_view>

#include "data/column.h"

namespace coeval::data {

/// A batch as bytes, for files that only the process which wrote them reads: per column whether it
/// has nulls, its validity, and its buffers as they lie in memory. Of a dictionary only what the
/// rows use is written, and coded columns stay coded. Not canonical: bits under a null are kept.
std::string encode_batch(const Batch& batch);

/// The batch that was encoded; `schema` is that of the batch. Errors: bad_file when the bytes are
/// not of such a batch.
Result<Batch> decode_batch(std::string_view bytes, const Schema& schema);

}  // namespace coeval::data
