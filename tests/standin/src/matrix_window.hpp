// Windows of matrices and vectors, as matrix kernels take them.
#pragma once
#include <algorithm>

#include "standin.hpp"

namespace standin {

inline void check_window(const MatrixView& m, MTLOrigin o, NSUInteger rows, NSUInteger columns, NSString* name) {
  require(o.z == 0, @"%@: origin.z %lu", name, lu(o.z));
  require(o.x <= m.rows && rows <= m.rows - o.x && o.y <= m.columns && columns <= m.columns - o.y,
          @"%@: %lu x %lu at (%lu, %lu) of a matrix of %lu x %lu", name, lu(rows), lu(columns), lu(o.x), lu(o.y), lu(m.rows), lu(m.columns));
}
inline void check_window(const VectorView& v, MTLOrigin o, NSUInteger length, NSString* name) {
  require(o.y == 0 && o.z == 0, @"%@: a vector's origin (%lu, %lu, %lu)", name, lu(o.x), lu(o.y), lu(o.z));
  require(o.x <= v.length && length <= v.length - o.x, @"%@: %lu elements from %lu of a vector of %lu", name, lu(length), lu(o.x), lu(v.length));
}
inline NSUInteger batch_end(NSUInteger start, NSUInteger size, std::initializer_list<std::size_t> counts) {
  const NSUInteger least = std::min(counts);
  return size > least - std::min(start, least) ? least : start + size;
}
// A size property, clipped to what is left behind the origin.
inline NSUInteger clipped(NSUInteger wanted, NSUInteger size, NSUInteger origin, NSString* name) {
  require(origin < size, @"%@: origin %lu of %lu", name, lu(origin), lu(size));
  return std::min(wanted, size - origin);
}

}  // namespace standin
