// What factorizations of matrices need beside MPS' own kernels.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void copy_triangle(device const uchar* src [[buffer(0)]], constant TriangleArguments& a [[buffer(1)]],
                          device uchar* dst [[buffer(2)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.order || at.y >= a.order || (a.is_lower ? at.x > at.y : at.x < at.y)) return;
  device const float* from = (device const float*)(src + ulong(at.y) * a.src_row_bytes);
  device float* to = (device float*)(dst + a.dst_offset + ulong(at.y) * a.dst_row_bytes);
  to[at.x] = from[at.x];
}

kernel void take_status(device int* status [[buffer(0)]], constant StatusArguments& a [[buffer(1)]],
                        device uchar* dst [[buffer(2)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x > 0 || at.y > 0 || at.z > 0) return;
  *(device int*)(dst + a.offset) = *status;
  *status = 0;
}

kernel void limit_pivots(device const uchar* src [[buffer(0)]], constant PivotArguments& a [[buffer(1)]],
                         device uint* dst [[buffer(2)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.count || at.y > 0 || at.z > 0) return;
  uint pivot = ((device const uint*)(src + a.offset))[at.x];
  dst[at.x] = pivot < a.count ? pivot : a.count - 1;
}
