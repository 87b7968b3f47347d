//! Geodesics, logarithm and transport on surfaces whose geodesics are known in closed form.

mod surfaces;

use gaussflow_manifold::{GeodesicSettings, OutputManifold};
use gaussflow_objective::{Objective, Squared};
use surfaces::{Jet, RADIUS, SAME, Surface, cylinder, sphere, torus};

fn objective(jet: Jet, alpha: f64) -> Objective<Surface, Squared> {
    let surface = Surface { outputs: 3, parameters: 2, jet, mix: SAME };
    Objective::new(surface, Squared::new(vec![1.0, -2.0, 0.5]).unwrap(), alpha).unwrap()
}

#[test]
fn trial() {
    for (name, jet) in [("sphere", sphere as Jet), ("cylinder", cylinder), ("torus", torus)] {
        let objective = objective(jet, 1.5);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let settings = GeodesicSettings { tolerance: 1e-11, ..GeodesicSettings::default() };
        let (w, v) = ([1.1, -0.4], [0.3, 0.7]);
        let curve = manifold.exp(&w, &v, &settings).unwrap();
        let end = curve.complete().unwrap();
        println!("{name} {:?} drift {:e} {:?}", end.point, curve.speed_drift, curve.statistics);
        let x = surfaces_point(jet, &w, 1.5);
        let y = surfaces_point(jet, &end.point, 1.5);
        let t = [0, 1, 2].map(|k| 1.5 * ((jet)(&w)[1][k] * v[0] + (jet)(&w)[2][k] * v[1]));
        if name == "sphere" {
            let r = 1.5 * RADIUS;
            let a = curve.length / r;
            let e = [0, 1, 2].map(|k| x[k] * a.cos() + r * a.sin() * t[k] / curve.length - y[k]);
            println!("   {e:?}");
        }
        let log = manifold.log(&w, &end.point, &settings);
        println!("   {log:?}");
    }
}

fn surfaces_point(jet: Jet, w: &[f64], alpha: f64) -> [f64; 3] {
    jet(w)[0].map(|x| alpha * x)
}
