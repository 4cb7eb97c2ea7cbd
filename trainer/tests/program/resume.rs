//! A training that goes on from states gives what a straight one gives: weights, history, best epoch.

use crate::augment::augmented;
use crate::call::{Place, Run, cnn, mlp, train, without_val};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

const OUTPUTS: [&str; 5] = [
    "model/weights.safetensors",
    "last/weights.safetensors",
    "history.json",
    "val.json",
    "best.json",
];

fn outputs(place: &Place, call: &Value) -> Vec<String> {
    let names = OUTPUTS
        .iter()
        .filter(|name| **name != "val.json" || !call["inputs"]["val"].is_null());
    names.map(|name| place.digest(name)).collect()
}

fn trained(run: &Run) -> Vec<u64> {
    let epochs = run
        .of("epoch")
        .into_iter()
        .filter(|message| message["seconds"] != json!(0.0));
    epochs.map(|message| message["epoch"].as_u64().unwrap()).collect()
}

#[test]
fn goes_on_from_any_states_with_the_same_bits() {
    let place = Place::new();
    let mut sharded = train(&cnn());
    sharded["args"]["shards"] = json!(3);
    let mut momentum = train(&mlp());
    momentum["args"]["optimizer"] =
        json!({ "kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 1e-4 });
    let mut moved = train(&cnn());
    moved["args"]["schedule"] = json!({ "kind": "plateau", "patience": 0, "factor": 0.3 });
    moved["args"]["ema"] = json!(0.9);
    moved["args"]["optimizer"]["groups"] = json!([{ "layers": "1", "lr": 0.3, "weight_decay": 0.1 }]);
    let mut cycled = momentum.clone();
    cycled["args"]["schedule"] = json!({ "kind": "one_cycle", "max_lr": 0.2, "over": 4 });
    cycled["args"]["freeze"] = json!(["1"]);
    for call in [
        train(&cnn()),
        sharded,
        momentum,
        without_val(train(&cnn())),
        augmented(),
        moved,
        cycled,
    ] {
        place.build(&call);
        let straight = outputs(&place, &call);
        let all = place.keep_states(&[1, 2, 3, 4]);
        let has_val = call["inputs"].get("val").is_some();
        for (have, left) in [
            (vec![1], vec![2, 3, 4]),
            (vec![1, 2, 3], vec![4]),
            (vec![1, 2, 3, 4], vec![]),
        ] {
            let mut resumed = call.clone();
            resumed["chain"]["have"] = have
                .iter()
                .map(|epoch: &u32| (epoch.to_string(), all[epoch.to_string()].clone()))
                .collect();
            let run = place.build(&resumed);
            assert_eq!(outputs(&place, &call), straight, "{have:?}");
            assert_eq!(trained(&run), left);
        }
        // With a hole, what lies before the last state is trained only for its validation.
        let mut resumed = call.clone();
        resumed["chain"]["have"] = json!({ "1": all["1"], "3": all["3"] });
        let run = place.build(&resumed);
        assert_eq!(outputs(&place, &call), straight);
        assert_eq!(trained(&run), if has_val { vec![2, 4] } else { vec![4] });
    }
}

#[test]
fn states_at_intervals_give_the_same_history() {
    let place = Place::new();
    let mut call = train(&cnn());
    call["args"]["checkpoint_every"] = json!(3);
    let run = place.build(&call);
    let states: Vec<u64> = run
        .of("state")
        .iter()
        .map(|state| state["epoch"].as_u64().unwrap())
        .collect();
    assert_eq!(states, [3, 4]);
    let straight = outputs(&place, &call);
    place.build(&train(&cnn()));
    assert_eq!(
        outputs(&place, &call),
        straight,
        "the interval is no part of the result"
    );
    call["chain"]["have"] = place.keep_states(&[3]);
    let run = place.build(&call);
    assert_eq!(outputs(&place, &call), straight);
    assert_eq!(trained(&run), [1, 2, 4]);
}

#[test]
fn more_epochs_cost_only_the_new_ones() {
    let place = Place::new();
    let mut longer = train(&cnn());
    longer["args"]["epochs"] = json!(6);
    place.build(&longer);
    let straight = outputs(&place, &longer);
    place.build(&train(&cnn()));
    longer["chain"]["have"] = place.keep_states(&[1, 2, 3, 4]);
    let run = place.build(&longer);
    assert_eq!(outputs(&place, &longer), straight);
    assert_eq!(trained(&run), [5, 6]);
}

#[test]
fn a_state_of_another_network_is_refused() {
    let place = Place::new();
    place.build(&train(&mlp()));
    let mut call = train(&cnn());
    call["chain"]["have"] = place.keep_states(&[1]);
    let run = place.run(&call);
    assert_eq!(run.failure()["code"], "B0208");
}

/// Starts the program with a socket as file descriptor 3; the shell moves it there from standard input.
fn start(place: &Place, call: &Value) -> (Child, UnixStream) {
    place.prepare(call);
    let (ours, theirs) = UnixStream::pair().unwrap();
    let program = place.command();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec 3<&0 </dev/null; MLP_SOCKET=3 exec \"$0\""])
        .arg(program.get_program());
    shell
        .current_dir(place.path("."))
        .stdin(Stdio::from(OwnedFd::from(theirs)));
    shell.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    (shell.spawn().unwrap(), ours)
}

fn next_state(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<u64> {
    lines.map_while(Result::ok).find_map(|line| {
        let message: Value = serde_json::from_str(&line).unwrap();
        (message["type"] == "state").then(|| message["epoch"].as_u64().unwrap())
    })
}

#[test]
fn waits_with_two_states_under_way_and_goes_on_after_a_kill() {
    let place = Place::new();
    let call = without_val(train(&cnn()));
    place.build(&call);
    let straight = outputs(&place, &call);

    let (mut child, ours) = start(&place, &call);
    let mut lines = BufReader::new(ours.try_clone().unwrap()).lines();
    assert_eq!(next_state(&mut lines), Some(1));
    assert_eq!(next_state(&mut lines), Some(2));
    // The third is announced only after an answer to the first.
    assert!(!place.path("new/epoch-3").exists());
    (&ours)
        .write_all(b"{\"type\":\"state_stored\",\"epoch\":1}\n")
        .unwrap();
    assert_eq!(next_state(&mut lines), Some(3));
    child.kill().unwrap();
    child.wait().unwrap();

    let mut resumed = call.clone();
    resumed["chain"]["have"] = place.keep_states(&[1, 2, 3]);
    let (mut child, ours) = start(&place, &resumed);
    (&ours)
        .write_all(b"{\"type\":\"state_stored\",\"epoch\":4}\n")
        .unwrap();
    let mut lines = BufReader::new(ours).lines();
    assert_eq!(next_state(&mut lines), Some(4));
    assert_eq!(next_state(&mut lines), None);
    assert!(child.wait().unwrap().success());
    assert_eq!(outputs(&place, &call), straight);
}
