#include "kernel/list_functions.h"

#include "base/check.h"
#include "data/packed_list.h"
#include "exact/product_sum.h"
#include "kernel/block_rows.h"

namespace coeval::kernel {

namespace {

using data::ListView;
using define::Expr;
using define::Op;

// As made_rows, but to have no value is expected, and not counted.
template <class T, class Make>
Slice found_rows(const std::uint8_t* valid, const BlockContext& block, Make make) {
  std::int64_t not_counted = 0;
  return made_rows<T>(valid, not_counted, block, make);
}

Slice element(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  const data::Type list_type = expr.args[0]->type;
  const std::uint8_t* valid = all_valid(args, block);
  const auto taken = [&]<class T>(T, auto take) {
    return found_rows<T>(valid, block, [&](std::size_t row, T& out) {
      const ListView list(args[0].strings[row], list_type);
      const std::int64_t index = args[1].integers[row];
      if (index < 0 || static_cast<std::size_t>(index) >= list.size()) return false;
      out = static_cast<T>(take(list, static_cast<std::size_t>(index)));
      return true;
    });
  };
  switch (lane_of(expr.type)) {
    case Lane::boolean:
      return taken(std::uint8_t{}, [](const ListView& l, std::size_t i) { return l.boolean(i); });
    case Lane::integer:
      return taken(std::int64_t{}, [](const ListView& l, std::size_t i) { return l.integer(i); });
    case Lane::real:
      return taken(double{}, [](const ListView& l, std::size_t i) { return l.real(i); });
    case Lane::string:
      break;
  }
  return taken(std::string_view{}, [](const ListView& l, std::size_t i) { return l.string(i); });
}

double dot(const ListView& a, const ListView& b, std::size_t size) {
  exact::ProductSum sum;
  for (std::size_t i = 0; i < size; ++i) sum.add(a.real(i), b.real(i));
  return sum.round();
}

double l2(const ListView& a, const ListView& b, std::size_t size) {
  exact::ProductSum sum;
  for (std::size_t i = 0; i < size; ++i) sum.add_squared_difference(a.real(i), b.real(i));
  return sum.root();
}

double cosine(const ListView& a, const ListView& b, std::size_t size) {
  exact::ProductSum ab, aa, bb;
  for (std::size_t i = 0; i < size; ++i) {
    const double x = a.real(i), y = b.real(i);
    ab.add(x, y);
    aa.add(x, x);
    bb.add(y, y);
  }
  return exact::cosine(ab, aa, bb);
}

Slice of_two(const Expr& expr, std::span<const Slice> args, const BlockContext& block,
             double (*compute)(const ListView&, const ListView&, std::size_t)) {
  const std::uint8_t* valid = all_valid(args, block);
  return found_rows<double>(valid, block, [&](std::size_t row, double& out) {
    const ListView a(args[0].strings[row], expr.args[0]->type);
    const ListView b(args[1].strings[row], expr.args[1]->type);
    const std::size_t size = a.size();
    if (size != b.size()) return false;
    out = compute(a, b, size);
    return true;
  });
}

}  // namespace

Slice list_function(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  switch (expr.op) {
    case Op::fn_length:
      return sure_rows<std::int64_t>(args[0].valid, block, [&](std::size_t row) {
        return ListView(args[0].strings[row], expr.args[0]->type).size();
      });
    case Op::fn_element:
      return element(expr, args, block);
    case Op::fn_dot:
      return of_two(expr, args, block, dot);
    case Op::fn_cosine:
      return of_two(expr, args, block, cosine);
    default:
      COEVAL_CHECK(expr.op == Op::fn_l2);
      return of_two(expr, args, block, l2);
  }
}

}  // namespace coeval::kernel
