#pragma once
// What the micro-kernels of the matrix core multiply. A kind names how one of them holds its numbers.
#include "cpu/simd/terms.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// sum += a * b, in the register where sum is. Compilers may write the result over a or b instead, which moves the sums of a
// micro-kernel about until they spill.
#if MPSKIT_VECTOR_BYTES > 16
MPSKIT_INLINE void add_product(Vec<float>& sum, Vec<float> a, Vec<float> b) { asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
MPSKIT_INLINE void add_product(Vec<double>& sum, Vec<double> a, Vec<double> b) { asm("vfmadd231pd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
#endif
template <class V>
MPSKIT_INLINE void add_product(V& sum, V a, V b) {
  sum = multiply_add(a, b, sum);
}

// What a micro-kernel multiplies: A elements are broadcast, B elements loaded, `group` terms of the sum per step.
template <class V>
struct Products {
  static MPSKIT_INLINE void add(V& sum, V a, V b) { add_product(sum, a, b); }
};
struct F32 : Products<Vec<float>> {
  using A = float;
  using B = float;
  using Sum = float;
  static constexpr int group = 1;
  static MPSKIT_INLINE Vec<float> a(const A* p) { return broadcast(p); }
  static MPSKIT_INLINE Vec<float> b(const B* p) { return load<Vec<float>>(p); }
};
struct Half : F32 {  // panels stay float16: half the bytes to stream, one conversion a load
  using B = std::uint16_t;
  static MPSKIT_INLINE Vec<float> b(const B* p) { return load_half(p); }
};
struct Pairs : Products<Vec<std::int32_t>> {  // int8 factors, widened: exact in int32 up to K = 131071
  using A = std::int16_t;
  using B = std::int16_t;
  using Sum = std::int32_t;
  static constexpr int group = 2;
  static MPSKIT_INLINE Vec<std::int32_t> a(const A* p) { return broadcast_pair(p); }
  static MPSKIT_INLINE Vec<std::int32_t> b(const B* p) { return load<Vec<std::int32_t>>(p); }
};
// One instruction for two, where a machine with AVX-512 has it. No target names it here: only the kernels that are chosen for it hold it.
inline constexpr bool isa_may_have_vnni = MPSKIT_VECTOR_BYTES == 64;
struct VnniPairs {
  static MPSKIT_INLINE void add(Vec<std::int32_t>& sum, Vec<std::int32_t> a, Vec<std::int32_t> b) {
#if MPSKIT_VECTOR_BYTES == 64
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#else
    add_product(sum, a, b);
#endif
  }
};
inline bool machine_has_vnni() {
#if MPSKIT_VECTOR_BYTES == 64
  return __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}
struct F64 : Products<Vec<double>> {  // float64; int16 factors, and int8 with more terms: exact up to K = 2**23
  using A = double;
  using B = double;
  using Sum = double;
  static constexpr int group = 1;
  static MPSKIT_INLINE Vec<double> a(const A* p) { return broadcast(p); }
  static MPSKIT_INLINE Vec<double> b(const B* p) { return load<Vec<double>>(p); }
};

}  // namespace mpskit::cpu::MPSKIT_ISA
