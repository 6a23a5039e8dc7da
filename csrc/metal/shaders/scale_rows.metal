// matrix = factor * matrix, for windows of a batch of matrices.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void scale_rows(device uchar* bytes [[buffer(0)]], constant ScaleArguments& a [[buffer(1)]],
                       uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.columns || at.y >= a.rows || at.z >= a.matrices) return;
  device uchar* row = bytes + a.offset + ulong(at.z) * a.matrix_bytes + ulong(at.y) * a.row_bytes;
  if (a.format == element_half) {
    device half* element = (device half*)row + at.x;
    *element = a.factor == 0.0f ? half(0.0f) : half(a.factor * float(*element));
  } else {
    device float* element = (device float*)row + at.x;
    *element = a.factor == 0.0f ? 0.0f : a.factor * *element;
  }
}
