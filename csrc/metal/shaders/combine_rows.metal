// Rows of matrices of half or float to others, or added to them.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void combine_rows(device const uchar* src [[buffer(0)]], constant RowsArguments& a [[buffer(1)]],
                         device uchar* dst [[buffer(2)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.columns || at.y >= a.rows || at.z >= a.matrices) return;
  device const uchar* from = src + a.src_offset + ulong(at.z) * a.src_matrix_bytes + ulong(at.y) * a.src_row_bytes;
  device uchar* to = dst + a.dst_offset + ulong(at.z) * a.dst_matrix_bytes + ulong(at.y) * a.dst_row_bytes;
  float value = a.src_format == element_half ? float(((device const half*)from)[at.x]) : ((device const float*)from)[at.x];
  if (a.dst_format == element_half) {
    device half* element = (device half*)to + at.x;
    *element = half(a.adds ? float(*element) + value : value);
  } else {
    device float* element = (device float*)to + at.x;
    *element = a.adds ? *element + value : value;
  }
}
