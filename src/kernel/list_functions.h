#pragma once

#include <span>

#include "define/expr.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

/// fn_element, fn_dot, fn_cosine and fn_l2, and fn_length of a list. A list lies in the lane of
/// strings, as its packed bytes (data/packed_list.h).
Slice list_function(const define::Expr& expr, std::span<const Slice> args,
                    const BlockContext& block);

}  // namespace coeval::kernel
