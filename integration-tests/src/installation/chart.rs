//! What the chart makes of a service, read from its rendered golden file: the environment and the mounted files of a pod.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The rendering of the chart for production, which the chart's own tests hold to what Helm makes of it.
const RENDERED: &str = "../helm/gridlease/ci/golden/production.yaml";

/// What a pod of one service is given.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// Its environment, from its ConfigMap.
    pub(super) environment: BTreeMap<String, String>,
    /// The files that it finds.
    pub(super) files: Vec<MountedFile>,
    /// From SIGTERM to SIGKILL.
    pub(super) grace: Duration,
}

/// A key of a Secret or a ConfigMap as a file.
#[derive(Clone, Debug)]
pub(super) struct MountedFile {
    /// Folder in the pod.
    pub(super) folder: String,
    /// Name of the file in there.
    pub(super) name: String,
    /// Name of the Secret or ConfigMap, and the key in it.
    pub(super) source: (String, String),
}

/// The rendered chart.
pub(super) struct Chart(Vec<Value>);

impl Chart {
    /// Reads the golden file.
    pub(super) fn rendered() -> Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(RENDERED);
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Ok(Self(serde_saphyr::from_multiple(&text)?))
    }

    fn find(&self, kind: &str, name: &str) -> Result<&Value> {
        let is = |one: &&Value| one["kind"] == kind && one["metadata"]["name"] == name;
        self.0.iter().find(is).with_context(|| format!("the chart renders no {kind} {name}"))
    }

    /// The pod of a service.
    pub(super) fn pod(&self, service: &str) -> Result<Pod> {
        let deployment = self.find("Deployment", &format!("release-gridlease-{service}"))?;
        let spec = &deployment["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        ensure!(container["command"][0] == format!("/usr/local/bin/{service}"), "{container}");
        let settings = text(&container["envFrom"][0]["configMapRef"]["name"])?;
        let data = self.find("ConfigMap", settings)?["data"].as_object().context("its data")?;
        let environment = data
            .iter()
            .map(|(key, value)| Ok((key.clone(), text(value)?.to_owned())))
            .collect::<Result<_>>()?;
        let mut files = Vec::new();
        for mount in list(&container["volumeMounts"]) {
            let volume = list(&spec["volumes"]).iter().find(|volume| volume["name"] == mount["name"]);
            files.extend(mounted(text(&mount["mountPath"])?, volume.context("the volume of a mount")?)?);
        }
        let grace = spec["terminationGracePeriodSeconds"].as_u64().context("a grace period")?;
        Ok(Pod { environment, files, grace: Duration::from_secs(grace) })
    }

    /// The service that a Service of this name and port leads to.
    pub(super) fn behind(&self, name: &str, port: u16) -> Result<String> {
        let service = self.find("Service", name)?;
        let ports = list(&service["spec"]["ports"]);
        ensure!(ports.iter().any(|one| one["port"] == port && one["targetPort"] == "grpc"), "{service}");
        Ok(text(&service["spec"]["selector"]["app.kubernetes.io/component"])?.to_owned())
    }
}

fn mounted(folder: &str, volume: &Value) -> Result<Vec<MountedFile>> {
    let (name, items) = match (&volume["secret"], &volume["configMap"]) {
        (Value::Null, map) => (text(&map["name"])?, &map["items"]),
        (secret, _) => (text(&secret["secretName"])?, &secret["items"]),
    };
    let file = |item: &Value| {
        Ok(MountedFile {
            folder: folder.to_owned(),
            name: text(&item["path"])?.to_owned(),
            source: (name.to_owned(), text(&item["key"])?.to_owned()),
        })
    };
    list(items).iter().map(file).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("no text: {value}"))
}

impl Pod {
    /// Writes the files below this folder of the machine, each where the pod has it.
    pub(super) fn mount(&self, root: &Path, contents: impl Fn(&str, &str) -> Option<String>) -> Result<()> {
        for file in &self.files {
            let (name, key) = &file.source;
            let content = contents(name, key).with_context(|| format!("{name} has no {key}"))?;
            let folder = below(root, &file.folder);
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(&file.name), content)?;
        }
        Ok(())
    }
}

/// Where a path of a pod lies on this machine.
pub(super) fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
