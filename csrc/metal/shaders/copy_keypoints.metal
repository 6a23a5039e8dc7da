// Keypoints of all regions to where they belong; whatever count MPS gives to too many, no more than there is room for, and zeros behind them.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void copy_keypoints(device const uint* found [[buffer(0)]], constant KeypointsArguments& a [[buffer(1)]], device const uint* src [[buffer(2)]],
                           device uchar* dst [[buffer(3)]], device uchar* counts [[buffer(4)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.maximum || at.y >= a.regions) return;
  const uint count = found[at.y] < a.maximum ? found[at.y] : a.maximum;
  device uint* to = (device uint*)(dst + a.dst_offset + ulong(at.y) * a.dst_row_bytes) + 2 * ulong(at.x);
  device const uint* from = src + 2 * (ulong(at.y) * a.maximum + at.x);
  to[0] = at.x < count ? from[0] : 0;
  to[1] = at.x < count ? from[1] : 0;
  if (at.x == 0) ((device uint*)(counts + a.counts_offset))[at.y] = count;
}
