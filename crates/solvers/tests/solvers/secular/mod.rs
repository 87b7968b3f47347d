//! Steps for every damping from one factorization.

mod steps;
