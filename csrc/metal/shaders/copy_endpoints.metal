// A count and the segments behind it to where they belong; whatever count MPS gives to too many, no more than there is room for, and zeros behind them.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void copy_endpoints(device const ushort* found [[buffer(0)]], constant EndpointsArguments& a [[buffer(1)]], device uchar* dst [[buffer(2)]],
                           device uchar* counts [[buffer(3)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.maximum) return;
  const uint all = *(device const uint*)found, count = all < a.maximum ? all : a.maximum;
  device ushort* to = (device ushort*)(dst + a.dst_offset + ulong(at.x) * a.dst_row_bytes);
  for (uint i = 0; i < 4; ++i) to[i] = at.x < count ? found[2 + 4 * ulong(at.x) + i] : 0;
  if (at.x == 0) *(device uint*)(counts + a.count_offset) = count;
}
