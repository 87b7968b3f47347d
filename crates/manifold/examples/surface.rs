//! A torus and a sphere: Gauss curvature, geodesics, logarithm, holonomy and reach beside what is known.
//!
//! `(t, p) -> ((R + r cos t) cos p, (R + r cos t) sin p, r sin t)`; R = 0 gives a sphere of radius r. Run
//! it with `cargo run --release -p gaussflow-manifold --example surface`.

use std::f64::consts::PI;

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_objective::{
    JacobianDifferences, MapError, Objective, Residuals, SmoothMap, Squared,
};
use gaussflow_solvers::DenseJacobian;

/// The torus with tube radius `tube` around a ring of radius `ring`.
struct Torus {
    ring: f64,
    tube: f64,
}

impl Residuals for Torus {
    fn parameters(&self) -> usize {
        2
    }

    fn outputs(&self) -> usize {
        3
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        let ((s, c), (sp, cp)) = (w[0].sin_cos(), w[1].sin_cos());
        let radius = self.ring + self.tube * c;
        out.copy_from_slice(&[radius * cp, radius * sp, self.tube * s]);
        Ok(())
    }
}

impl SmoothMap for Torus {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(3, 2)
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        let ((s, c), (sp, cp)) = (w[0].sin_cos(), w[1].sin_cos());
        let (r, radius) = (self.tube, self.ring + self.tube * c);
        let along_tube = [-r * s * cp, -r * s * sp, r * c];
        let along_ring = [-radius * sp, radius * cp, 0.0];
        let mut columns = jacobian.matrix_mut();
        for j in 0..3 {
            (columns[(j, 0)], columns[(j, 1)]) = (along_tube[j], along_ring[j]);
        }
        self.value(w, value)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Second derivatives come from differences of J, to about ten digits: tolerances stay above that.
    let settings = GeodesicSettings { tolerance: 1e-8, samples: 4, ..GeodesicSettings::default() };
    let (ring, tube) = (3.0, 1.0);
    let torus = JacobianDifferences::new(Torus { ring, tube });
    let torus = Objective::new(torus, Squared::of_residuals(3), 1.0)?;
    let mut manifold = OutputManifold::new(&torus)?;

    println!("    t   Gauss curvature   cos t / (r (R + r cos t))");
    for t in [0.0_f64, 1.0, 2.0, 3.0] {
        let found = manifold.at(&[t, 0.5])?.sectional_curvature(&[1.0, 0.0], &[0.3, 1.0])?;
        println!("{t:5.1}   {found:15.9}   {:15.9}", t.cos() / (tube * (ring + tube * t.cos())));
    }

    // Clairaut: (R + r cos t)^2 p' is the same everywhere on a geodesic.
    let curve = manifold.exp(&[0.4, 0.0], &[0.8, 0.7], &settings)?;
    println!("\n fraction        t          p     (R + r cos t)^2 p'");
    for sample in &curve.samples {
        let ([t, p], turn) = ([sample.point[0], sample.point[1]], sample.velocity[1]);
        let clairaut = (ring + tube * t.cos()).powi(2) * turn;
        println!("{:9.2}  {t:9.6}  {p:9.6}  {clairaut:15.9}", sample.fraction);
    }
    let log = manifold.log(&[0.4, 0.0], &curve.complete()?.point, &settings)?;
    println!("Log gives ({:.7}, {:.7}) for (0.8, 0.7)", log.velocity[0], log.velocity[1]);

    // Around the tube: the radius of curvature is r, as is half the chord across.
    let around: Vec<[f64; 2]> = (0..8).map(|k| [f64::from(k) * 0.25 * PI, 0.0]).collect();
    let around: Vec<&[f64]> = around.iter().map(<[f64; 2]>::as_slice).collect();
    let reach = manifold.reach_along(&around)?;
    println!("reach {:.9}, min(r, R - r) = {:.1}", reach.estimate(), tube.min(ring - tube));

    // A vector carried around a triangle on the unit sphere turns by the triangle's area.
    let sphere = JacobianDifferences::new(Torus { ring: 0.0, tube: 1.0 });
    let sphere = Objective::new(sphere, Squared::of_residuals(3), 1.0)?;
    let mut manifold = OutputManifold::new(&sphere)?;
    let corners: [[f64; 2]; 3] = [[0.0, 0.0], [0.0, 1.0], [0.8, 0.5]];
    let (mut carried, mut sides) = (vec![1.0, 0.0], [0.0; 3]);
    for k in 0..3 {
        let (from, to) = (&corners[k], &corners[(k + 1) % 3]);
        let log = manifold.log(from, to, &settings)?;
        let curve = manifold.transport(from, &log.velocity, &[&carried], &settings)?;
        carried.clone_from(&curve.complete()?.transported[0]);
        sides[k] = log.distance;
    }
    // L'Huilier: the area from the three sides.
    let half = 0.5 * sides.iter().sum::<f64>();
    let product: f64 = sides.iter().map(|side| (0.5 * (half - side)).tan()).product();
    let area = 4.0 * ((0.5 * half).tan() * product).sqrt().atan();
    // At the first corner the parameters are orthonormal coordinates; the vector began along t.
    let turned = carried[1].atan2(carried[0]).abs();
    println!("\nholonomy {turned:.9}, area of the triangle {area:.9}");
    Ok(())
}
