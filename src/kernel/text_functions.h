#pragma once

#include <span>

#include "define/expr.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

/// like, and fn_lower … fn_cross. A character is a code point; a byte that is no UTF-8 belongs to
/// the character before it, or is one at the start of a text. A result longer than kMaxTextBytes is
/// null, and counted. (semantics: V1 V5)
Slice text_function(const define::Expr& expr, std::span<const Slice> args,
                    const BlockContext& block);

/// A text of the block's arena. False when it is too long; empty when the block's budget is spent.
bool keep_text(std::string_view text, const BlockContext& block, std::string_view& out);

}  // namespace coeval::kernel
