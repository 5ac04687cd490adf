// Optimizer updates: one pass over parameter, gradient and state. Plain multiplies and adds in the
// element type, in the order that kernels.h states; none is fused outside of square roots, which
// are correctly rounded either way, so every level agrees.
#pragma once

#include "kernels/kernels.h"
#include "kernels/square-roots-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Calls body(offset, count) for whole vectors and then for the rest.
template <class T, class Body>
FUSEGRAD_INLINE void each_vector(int64_t n, const Body& body) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, n - i);
}

// Calls apply(offset, count, part, root of part.square) likewise, with part = prepare(offset,
// count); of `floor`, see square_roots. Operands may lie at the same place as each other or as a
// result, so prepare and apply load before apply stores.
template <class T, class Prepare, class Apply>
FUSEGRAD_INLINE void each_root(int64_t n, T floor, const Prepare& prepare, const Apply& apply) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  const int64_t whole = n - n % (kRoots * kLanes);
  for (int64_t i = 0; i < whole; i += kRoots * kLanes) {
    decltype(prepare(i, kLanes)) part[kRoots];
    typename Vec<T>::V root[kRoots];
    for (int k = 0; k < kRoots; ++k) {
      part[k] = prepare(i + k * kLanes, kLanes);
      root[k] = part[k].square;
    }
    square_roots(root, floor);
    for (int k = 0; k < kRoots; ++k) apply(i + k * kLanes, kLanes, part[k], root[k]);
  }
  each_vector<T>(n - whole, [=](int64_t i, int64_t count) FUSEGRAD_INLINE_LAMBDA {
    const auto part = prepare(whole + i, count);
    apply(whole + i, count, part, sqrt(part.square));
  });
}

template <class T>
inline void sgd(T* w_out, const T* w, const T* g, int64_t n, double lr) {
  typedef typename Vec<T>::V V;
  const V rate = set1(static_cast<T>(lr));
  each_vector<T>(n, [=](int64_t i, int64_t count) __attribute__((always_inline)) {
    store_part(w_out + i, load_part(w + i, count) - rate * load_part(g + i, count), count);
  });
}

template <class T>
inline void momentum(T* w_out, T* m_out, const T* w, const T* m, const T* g, int64_t n, double lr,
                     double mu, bool nesterov) {
  typedef typename Vec<T>::V V;
  const V rate = set1(static_cast<T>(lr));
  const V keep = set1(static_cast<T>(mu));
  each_vector<T>(n, [=](int64_t i, int64_t count) __attribute__((always_inline)) {
    const V step = rate * load_part(g + i, count);
    const V m1 = keep * load_part(m + i, count) - step;
    const V move = nesterov ? keep * m1 - step : m1;
    const V w1 = load_part(w + i, count) + move;
    store_part(m_out + i, m1, count);
    store_part(w_out + i, w1, count);
  });
}

template <class T, bool kCentered, bool kMomentum>
inline void rmsprop_of(T* w_out, T* v_out, T* a_out, T* b_out, const T* w, const T* v, const T* a,
                       const T* b, const T* g, int64_t n, double lr, double rho, double mu,
                       double eps) {
  typedef typename Vec<T>::V V;
  const V rate = set1(static_cast<T>(lr));
  const V keep = set1(static_cast<T>(rho));
  const V take = set1(static_cast<T>(1.0 - rho));
  const V push = set1(static_cast<T>(mu));
  const V guard = set1(static_cast<T>(eps));
  struct Part {
    V square, grad, v1, a1;
  };
  each_root<T>(
      n, T{0},
      [=](int64_t i, int64_t count) FUSEGRAD_INLINE_LAMBDA {
        Part part;
        part.grad = load_part(g + i, count);
        part.v1 = keep * load_part(v + i, count) + take * (part.grad * part.grad);
        part.square = part.v1 + guard;
        if (kCentered) {
          part.a1 = keep * load_part(a + i, count) + take * part.grad;
          part.square = part.v1 - part.a1 * part.a1 + guard;
        }
        return part;
      },
      [=](int64_t i, int64_t count, const Part& part, V root) FUSEGRAD_INLINE_LAMBDA {
        V move = rate * part.grad / root;
        if (kMomentum) move = push * load_part(b + i, count) + move;
        const V w1 = load_part(w + i, count) - move;
        store_part(v_out + i, part.v1, count);
        if (kCentered) store_part(a_out + i, part.a1, count);
        if (kMomentum) store_part(b_out + i, move, count);
        store_part(w_out + i, w1, count);
      });
}

template <class T>
inline void rmsprop(T* w_out, T* v_out, T* a_out, T* b_out, const T* w, const T* v, const T* a,
                    const T* b, const T* g, int64_t n, double lr, double rho, double mu,
                    double eps) {
  const auto run = a == nullptr
                       ? (b == nullptr ? rmsprop_of<T, false, false> : rmsprop_of<T, false, true>)
                       : (b == nullptr ? rmsprop_of<T, true, false> : rmsprop_of<T, true, true>);
  run(w_out, v_out, a_out, b_out, w, v, a, b, g, n, lr, rho, mu, eps);
}

template <class T, bool kAmsgrad>
inline void adam_of(T* w_out, T* m_out, T* v_out, T* vhat_out, const T* w, const T* m, const T* v,
                    const T* vhat, const T* g, int64_t n, double alpha, double b1, double b2,
                    double eps) {
  typedef typename Vec<T>::V V;
  const V rate = set1(static_cast<T>(alpha));
  const V take1 = set1(static_cast<T>(1.0 - b1));
  const V take2 = set1(static_cast<T>(1.0 - b2));
  const V guard = set1(static_cast<T>(eps));
  struct Part {
    V square, grad, v1;
  };
  // Roots up to 2^-50 do not change root + eps then: half a unit in its last place is more.
  const T floor = guard[0] >= static_cast<T>(0x1p-25) ? static_cast<T>(0x1p-100) : T{0};
  each_root<T>(
      n, floor,
      [=](int64_t i, int64_t count) FUSEGRAD_INLINE_LAMBDA {
        Part part;
        part.grad = load_part(g + i, count);
        const V v0 = load_part(v + i, count);
        part.v1 = v0 + (part.grad * part.grad - v0) * take2;
        part.square = kAmsgrad ? max_nan(load_part(vhat + i, count), part.v1) : part.v1;
        return part;
      },
      [=](int64_t i, int64_t count, const Part& part, V root) FUSEGRAD_INLINE_LAMBDA {
        const V m0 = load_part(m + i, count);
        const V m1 = m0 + (part.grad - m0) * take1;
        const V w1 = load_part(w + i, count) - rate * m1 / (root + guard);
        store_part(v_out + i, part.v1, count);
        if (kAmsgrad) store_part(vhat_out + i, part.square, count);
        store_part(m_out + i, m1, count);
        store_part(w_out + i, w1, count);
      });
}

template <class T>
inline void adam(T* w_out, T* m_out, T* v_out, T* vhat_out, const T* w, const T* m, const T* v,
                 const T* vhat, const T* g, int64_t n, double alpha, double b1, double b2,
                 double eps) {
  const auto run = vhat == nullptr ? adam_of<T, false> : adam_of<T, true>;
  run(w_out, m_out, v_out, vhat_out, w, m, v, vhat, g, n, alpha, b1, b2, eps);
}

void sgd_f32(float* w_out, const float* w, const float* g, int64_t n, double lr) {
  sgd(w_out, w, g, n, lr);
}
void sgd_f64(double* w_out, const double* w, const double* g, int64_t n, double lr) {
  sgd(w_out, w, g, n, lr);
}
void momentum_f32(float* w_out, float* m_out, const float* w, const float* m, const float* g,
                  int64_t n, double lr, double mu, bool nesterov) {
  momentum(w_out, m_out, w, m, g, n, lr, mu, nesterov);
}
void momentum_f64(double* w_out, double* m_out, const double* w, const double* m, const double* g,
                  int64_t n, double lr, double mu, bool nesterov) {
  momentum(w_out, m_out, w, m, g, n, lr, mu, nesterov);
}
void rmsprop_f32(float* w_out, float* v_out, float* a_out, float* b_out, const float* w,
                 const float* v, const float* a, const float* b, const float* g, int64_t n,
                 double lr, double rho, double mu, double eps) {
  rmsprop(w_out, v_out, a_out, b_out, w, v, a, b, g, n, lr, rho, mu, eps);
}
void rmsprop_f64(double* w_out, double* v_out, double* a_out, double* b_out, const double* w,
                 const double* v, const double* a, const double* b, const double* g, int64_t n,
                 double lr, double rho, double mu, double eps) {
  rmsprop(w_out, v_out, a_out, b_out, w, v, a, b, g, n, lr, rho, mu, eps);
}
void adam_f32(float* w_out, float* m_out, float* v_out, float* vhat_out, const float* w,
              const float* m, const float* v, const float* vhat, const float* g, int64_t n,
              double alpha, double b1, double b2, double eps) {
  adam(w_out, m_out, v_out, vhat_out, w, m, v, vhat, g, n, alpha, b1, b2, eps);
}
void adam_f64(double* w_out, double* m_out, double* v_out, double* vhat_out, const double* w,
              const double* m, const double* v, const double* vhat, const double* g, int64_t n,
              double alpha, double b1, double b2, double eps) {
  adam(w_out, m_out, v_out, vhat_out, w, m, v, vhat, g, n, alpha, b1, b2, eps);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
