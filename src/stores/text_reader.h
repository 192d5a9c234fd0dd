#pragma once

#include <memory>

#include "data/text_decoder.h"
#include "stores/table_files.h"

namespace coeval::stores {

/// Reads a text to its end, window by window. Reads what comes before the first row at once.
/// Errors: those of the source and of the decoder, with the source's name.
Result<std::unique_ptr<TableReader>> read_text(std::unique_ptr<ByteSource> bytes,
                                               std::unique_ptr<data::TextDecoder> decoder,
                                               const ReadOptions& options);

}  // namespace coeval::stores
