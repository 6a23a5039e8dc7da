#pragma once
#include "cpu/simd/vector.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Eight rows of eight, turned in registers: rows[c][r] = rows[r][c].
using Eight [[gnu::vector_size(32)]] = float;
using Four [[gnu::vector_size(16)]] = float;
MPSKIT_INLINE void turn(Eight (&r)[8]) {
  Eight s[8], t[8];
  for (int i = 0; i < 8; i += 2) {
    s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int h = 0; h < 2; ++h) {
      t[i + 2 * h] = __builtin_shufflevector(s[i + h], s[i + 2 + h], 0, 1, 8, 9, 4, 5, 12, 13);
      t[i + 2 * h + 1] = __builtin_shufflevector(s[i + h], s[i + 2 + h], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    r[i] = __builtin_shufflevector(t[i], t[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(t[i], t[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
