//! The peers' Python environments, made once in the target folder from the requirements in benches/peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process::target;
use crate::process::{must, root};

/// Exit status when the environment cannot be made.
const CANNOT_MAKE: u8 = 3;

/// NumPy's and JAX's environment: its folder and its requirements.
pub const STEPS: [&str; 2] = ["bench-peers", "requirements.txt"];
/// geomstats' environment: it wants a NumPy below 2.
pub const GEOMSTATS: [&str; 2] = ["bench-peers-geomstats", "requirements-geomstats.txt"];
/// neural-tangents' environment: it wants an older JAX.
pub const NEURAL_TANGENTS: [&str; 2] =
    ["bench-peers-neural-tangents", "requirements-neural-tangents.txt"];
/// somax's environment: it brings Flax and Optax.
pub const SOMAX: [&str; 2] = ["bench-peers-somax", "requirements-somax.txt"];

/// The environment's interpreter; made anew when the requirements changed.
pub fn environment([folder, requirements]: [&str; 2]) -> Result<PathBuf, ExitCode> {
    let folder = target().join(folder);
    let requirements = root().join("benches/peers").join(requirements);
    // A copy of what was installed: written last, so that a broken installation is made again.
    let installed = folder.join("installed.txt");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let wanted = read(&requirements)?;
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    must(make)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.arg("--requirement").arg(&requirements);
    must(install)?;
    fs::write(&installed, wanted).map_err(|error| failed(&installed, &error))?;
    Ok(python)
}

fn read(path: &Path) -> Result<Vec<u8>, ExitCode> {
    fs::read(path).map_err(|error| failed(path, &error))
}

/// Says which file it was.
fn failed(path: &Path, error: &std::io::Error) -> ExitCode {
    crate::console::note(format_args!("error: {}: {error}", path.display()));
    ExitCode::from(CANNOT_MAKE)
}
