#pragma once

#include "define/expr.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

/// convert and try_convert: what a person's cast does, see define/conversion.h. A value that cannot
/// be cast is null, and counted for convert. (semantics: V5)
Slice convert(const define::Expr& expr, const Slice& a, const BlockContext& block);

}  // namespace coeval::kernel
