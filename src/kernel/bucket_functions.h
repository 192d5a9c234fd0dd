#pragma once

#include <span>

#include "define/expr.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

/// fn_hash_bucket, fn_bucketize and fn_width_bucket: the number of the part that holds a value.
Slice bucket_function(const define::Expr& expr, const Slice& a, const BlockContext& block);

}  // namespace coeval::kernel
