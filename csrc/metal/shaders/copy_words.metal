// Rows of four-byte elements to others.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void copy_words(device const uchar* src [[buffer(0)]], constant WordsArguments& a [[buffer(1)]], device uchar* dst [[buffer(2)]],
                       uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.columns || at.y >= a.rows) return;
  const uint word = ((device const uint*)(src + a.src_offset + ulong(at.y) * a.src_row_bytes))[at.x];
  ((device uint*)(dst + a.dst_offset + ulong(at.y) * a.dst_row_bytes))[at.x] = word;
}
